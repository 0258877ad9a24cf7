// Runs random sequences of operations on every kind of cache, and compares with lists of arrays:
//   node scripts/caches/run.mjs [--sequences 10000]
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { sequences: { type: "string", default: "10000" } } });
const { status } = spawnSync(
  "vitest",
  ["run", "--project", "node", "packages/kv-cache/src/every-cache", "packages/kv-cache/src/offloaded"],
  {
    env: { ...process.env, QKV_SEQUENCES: values.sequences },
    stdio: "inherit",
    shell: process.platform === "win32", // the tools in node_modules/.bin are .cmd files there
  },
);
process.exitCode = status ?? 1;
