import { library } from "../../tsup.config.base.js";

export default library(["index", "attention-call", "evolution", "heads-and-keys", "react", "tokenization"]);
