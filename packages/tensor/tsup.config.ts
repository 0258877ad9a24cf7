import { library } from "../../tsup.config.base.js";

export default library([
  "index",
  "contracts",
  "devices",
  "expressions",
  "key-values",
  "optimizers",
  "quantized",
  "safetensors",
  "tile-plan",
]);
