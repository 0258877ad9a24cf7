import { writeFileSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

// A few functions of d3 are part of what is published: its packages are ESM alone, and `require` of ours works too. Their
// versions 3.0.1 consist of modules, of which three are taken; 3.0.2 is one file, which no bundler takes apart.
export default library(
  [
    "index",
    "elements",
    "figures",
    "figures/attention-call",
    "figures/caches-at-work",
    "figures/encoder-decoder-attention",
    "figures/evolution",
    "figures/flash-attention",
    "figures/generation",
    "figures/head-constructions",
    "figures/heads-and-keys",
    "figures/linked-matrices",
    "figures/model-stack",
    "figures/tokenization",
    "figures/transformer-block",
    "figures/written-state",
    "jsx",
    "react",
  ],
  {
    noExternal: [/^d3-/],
    // A module of types alone is an empty file, which Vite's server takes for CommonJS.
    onSuccess: async () => writeFileSync("dist/jsx.js", "export {};\n"),
  },
);
