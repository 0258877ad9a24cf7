import { library } from "../../tsup.config.base.js";

export default library([
  "index",
  "attention-call",
  "evolution",
  "generation",
  "head-constructions",
  "heads-and-keys",
  "model-stack",
  "react",
  "tokenization",
  "transformer-block",
]);
