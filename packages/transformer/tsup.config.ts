import { library } from "../../tsup.config.base.js";

export default library([
  "index",
  "adapters",
  "audio",
  "inspection",
  "processors",
  "patching",
  "training",
  "data",
  "tasks",
  "export",
]);
