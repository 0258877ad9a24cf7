import { library } from "../../tsup.config.base.js";

export default library(["index", "chat", "english-bytes", "patching", "tracing", "training"]);
