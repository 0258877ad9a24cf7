import { library } from "../../tsup.config.base.js";

export default library([
  "index",
  "contracts",
  "devices",
  "expressions",
  "key-values",
  "optimizers",
  "safetensors",
  "tile-plan",
]);
