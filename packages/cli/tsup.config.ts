import { readdirSync } from "node:fs";
import { library } from "../../tsup.config.base.js";

const door = readdirSync("src/door").map((file) => `door/${file.replace(".ts", "")}`);

export default library(["index", "command", "qkv", ...door]);
