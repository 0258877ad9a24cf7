import { cpSync, globSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

const door = globSync("door/**/*.ts", { cwd: "src" }).map((file) => file.slice(0, -".ts".length));

export default library(["index", "command", "qkv", ...door], {
  // The page that `qkv lens` serves.
  onSuccess: async () => cpSync("../../apps/explorer/dist", "dist/explorer", { recursive: true }),
});
