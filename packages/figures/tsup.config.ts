import { library } from "../../tsup.config.base.js";

export default library([
  "index",
  "attention-call",
  "evolution",
  "generation",
  "heads-and-keys",
  "react",
  "tokenization",
  "transformer-block",
]);
