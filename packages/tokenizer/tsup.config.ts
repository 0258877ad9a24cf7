import { library } from "../../tsup.config.base.js";

export default library(["index", "english-bytes", "patching", "tracing", "training"]);
