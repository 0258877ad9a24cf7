import { writeFileSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

const entries = [
  "index",
  "contracts",
  "convolutions",
  "devices",
  "fft",
  "initializers",
  "losses",
  "optimizers",
  "quantized",
  "random",
  "safetensors",
];

export default library(entries, {
  // A module of types alone is an empty file, which Vite's server takes for CommonJS.
  onSuccess: async () => writeFileSync("dist/contracts.js", "export {};\n"),
});
