import { library } from "../../tsup.config.base.js";

export default library([
  "index",
  "attention-call",
  "evolution",
  "flash-attention",
  "generation",
  "head-constructions",
  "heads-and-keys",
  "model-stack",
  "react",
  "tokenization",
  "transformer-block",
]);
