import { library, withDisposal } from "../../tsup.config.base.js";
import { worker } from "./tsup.worker-entries.js";

export default library(worker.entries, { ...withDisposal, format: "esm" });
