import { library, withDisposal } from "../../tsup.config.base.js";

export default library(
  ["index", "inspection", "processors", "patching", "training", "tasks", "export"],
  withDisposal,
);
