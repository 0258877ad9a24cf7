import { cpSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

export default library(["index", "command", "qkv"], {
  // The page that `qkv lens` serves.
  onSuccess: async () => cpSync("../../apps/explorer/dist", "dist/explorer", { recursive: true }),
});
