import { globSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

const door = globSync("door/**/*.ts", { cwd: "src" }).map((file) => file.slice(0, -".ts".length));

export default library(["index", "command", "qkv", ...door]);
