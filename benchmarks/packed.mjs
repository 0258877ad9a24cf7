// Runs the WebGPU suite in the folder that `npm run bench:pack` creates. Needs Node 20 or newer on linux-x64, and no
// network.
//   node packed.mjs [--row TEXT] [--rounds N] [--full] [--json FILE]
import { writeFileSync } from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { inProcesses } from "./in-processes.mjs";
import { measure } from "./measure.mjs";
import { openAdapter } from "./peers/webgpu.mjs";
import { processorName } from "./processor.mjs";
import { rowsOf } from "./rows-of.mjs";
import { table } from "./table.mjs";

const { values } = parseArgs({
  options: {
    row: { type: "string" },
    full: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    json: { type: "string" },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`bench: --rounds is ${values.rounds}, expected an integer, 1 or more.`);
  process.exit(1);
}
const adapter = await openAdapter();
if (!adapter) {
  console.error("bench: there is no adapter of WebGPU here.\nFix: install a Vulkan driver of the GPU.");
  process.exit(1);
}
const context = { threads: 1, devices: ["webgpu"], browser: false, full: values.full, clock: "wall" };
const place = inProcesses(context, process.execPath);
console.log(`${adapter.note}\n${processorName()}, ${os.cpus().length} cores, ${place.name}`);
const rows = rowsOf(await import("./suites/webgpu.mjs"), context).filter(
  ({ id }) => values.row === undefined || id.includes(values.row),
);
const cases = [];
for (const row of rows) {
  const log = (line) => process.stderr.write(`${line}\n`);
  const measured = await measure(row, {
    rounds,
    log,
    open: (contender) => place.open("webgpu", row, contender),
  });
  cases.push(measured);
  console.log(`\n${table(measured)}`);
}
await place.close();
if (values.json) writeFileSync(values.json, `${JSON.stringify({ adapter, cases }, null, 2)}\n`);
// Dawn would keep the process running.
const failed = cases.some(
  ({ results, failed = [] }) =>
    results.some(({ kind, wrong }) => kind === "ours" && wrong) || failed.some(({ kind }) => kind === "ours"),
);
process.exit(failed ? 1 : 0);
