import { library } from "../../tsup.config.base.js";

export default library(["index", "contracts", "expressions", "optimizers", "safetensors"]);
