// Builds the packages, then runs the interop cases: npm run interop [CASE]
import { spawnSync } from "node:child_process";

const build = ["run", "build", "--filter=./packages/*", "--output-logs=errors-only"];
const built = spawnSync("turbo", build, {
  stdio: ["ignore", 2, "inherit"],
  shell: process.platform === "win32",
});
if (built.status !== 0) process.exit(1);
const { status } = spawnSync(process.execPath, ["interop/run.mjs", ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
