import { cpSync, globSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

const subpaths = globSync("subpaths/**/*.ts", { cwd: "src" }).map((file) => file.slice(0, -".ts".length));

export default library(["index", "command", "qkv", ...subpaths], {
  // The page that `qkv lens` serves.
  onSuccess: async () => cpSync("../../apps/explorer/dist", "dist/explorer", { recursive: true }),
});
