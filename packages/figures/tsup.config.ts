import { writeFileSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

export default library(
  [
    "index",
    "attention-call",
    "caches-at-work",
    "encoder-decoder-attention",
    "encoder-decoder-attention/translate-date", // loaded when a date is translated
    "evolution",
    "flash-attention",
    "generation",
    "head-constructions",
    "heads-and-keys",
    "jsx",
    "linked-matrices",
    "linked-matrices/animal-trace", // loaded when the example is drawn
    "model-stack",
    "react",
    "tokenization",
    "transformer-block",
    "written-state",
  ],
  {
    // A module of types alone is an empty file, which Vite's server takes for CommonJS.
    onSuccess: async () => writeFileSync("dist/jsx.js", "export {};\n"),
  },
);
