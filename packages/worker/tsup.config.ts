import { library } from "../../tsup.config.base.js";
import { worker } from "./tsup.worker-entries.js";

export default library(worker.entries, { format: "esm" });
