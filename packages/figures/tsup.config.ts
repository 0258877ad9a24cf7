import { library } from "../../tsup.config.base.js";

export default library([
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
  "linked-matrices",
  "linked-matrices/animal-trace", // loaded when the example is drawn
  "model-stack",
  "react",
  "tokenization",
  "transformer-block",
  "written-state",
]);
