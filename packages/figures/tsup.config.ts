import { library } from "../../tsup.config.base.js";

export default library([
  "index",
  "attention-call",
  "evolution",
  "generation",
  "heads-and-keys",
  "model-stack",
  "react",
  "tokenization",
  "transformer-block",
]);
