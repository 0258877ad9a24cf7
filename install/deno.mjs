// Runs Deno, of the version that ours is installed in:
//   node install/deno.mjs run --allow-all program.js
import { spawnSync } from "node:child_process";
import { deno, installTools } from "./tools.mjs";

installTools();
const program = deno();
if (!program) {
  console.error("npm has no Deno for this machine.");
  process.exit(1);
}
const { status, error } = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (error) console.error(error.message);
process.exit(status ?? 1);
