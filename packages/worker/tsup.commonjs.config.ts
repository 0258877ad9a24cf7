import { library } from "../../tsup.config.base.js";
import { worker } from "./tsup.worker-entries.js";

// birpc has no CommonJS build: it is part of ours.
export default library(worker.entries, {
  format: "cjs",
  noExternal: ["birpc"],
  clean: false,
});
