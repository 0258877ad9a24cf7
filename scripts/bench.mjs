// Builds the packages under measurement, then runs the benchmarks: npm run bench -- --help
// With --pack it packs the WebGPU suite instead: npm run bench:pack
import { spawnSync } from "node:child_process";

const build = ["run", "build", "--filter=./packages/*", "--output-logs=errors-only"];
const built = spawnSync("turbo", build, {
  stdio: ["ignore", 2, "inherit"],
  shell: process.platform === "win32",
});
if (built.status !== 0) process.exit(1);
const [first, ...rest] = process.argv.slice(2);
const program =
  first === "--pack" ? ["benchmarks/pack.mjs", ...rest] : ["benchmarks/run.mjs", ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, program, { stdio: "inherit" });
process.exitCode = status ?? 1;
