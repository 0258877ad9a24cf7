// Generation, training and forks of caches interleaved for a long time in one process, with a fault in each round:
//   node --expose-gc scripts/soak/run.mjs [MINUTES]
//
// All work must return the same digest as in the first minute, each fault must be handled, and heap, process and
// devices must not use more memory in the second half than in the first.
import { setTimeout as pause } from "node:timers/promises";
import { callbacks } from "../faults/callbacks.mjs";
import { devices as deviceFaults } from "../faults/devices.mjs";
import { network } from "../faults/network.mjs";
import { reportFlat } from "./flat.mjs";
import { done, longLived } from "./work.mjs";

const minutes = Number(process.argv[2] ?? 60);
if (!(minutes >= 0)) throw new RangeError(`soak: "${process.argv[2]}" is no number of minutes`);
const mebibyte = 2 ** 20;
const faults = Object.entries({ ...callbacks, ...deviceFaults, ...network });
const { devices, work, models } = await longLived();

const digests = new Map();
const mismatches = new Map();
const failures = new Map();
const samples = [];
const begin = performance.now();
const passed = () => (performance.now() - begin) / 60_000;
let [rounds, survived, reportedAt] = [0, 0, 0];

do {
  for (const [name, piece] of Object.entries(work)) {
    const digest = await piece();
    if (!digests.has(name)) digests.set(name, digest);
    else if (digests.get(name) !== digest)
      mismatches.set(name, `round ${rounds}: ${digest}, not ${digests.get(name)}`);
  }
  const [name, fault] = faults[rounds % faults.length];
  try {
    await fault();
    survived += 1;
  } catch (error) {
    failures.set(name, `round ${rounds}: ${error.message.split("\n")[0]}`);
  }
  await pause(20); // finalization callbacks run between tasks
  globalThis.gc?.();
  await pause(20);
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const device = Object.values(devices).reduce((sum, one) => sum + one.memory().bytes, 0);
  samples.push({ heap: heapUsed + arrayBuffers, process: rss, devices: device });
  rounds += 1;
  if (passed() - reportedAt >= 1) {
    reportedAt = passed();
    console.error(`${reportedAt.toFixed(0)} minutes, ${rounds} rounds, ${(rss / mebibyte).toFixed(0)} MiB`);
  }
} while (passed() < minutes || rounds < 4);

const total = { passed: 0, failed: 0 };
const report = (right, line) => {
  total[right ? "passed" : "failed"] += 1;
  console.log(line);
};
for (const name of digests.keys())
  report(!mismatches.has(name), `${name}: ${mismatches.get(name) ?? "the same each time"}`);
report(failures.size === 0, `${survived} faults survived of ${rounds}`);
for (const [name, why] of failures) console.log(`  ${name}: ${why}`);

// The first round of each fault loads code: memory is measured after it.
const warm = samples.slice(Math.min(faults.length, Math.floor(samples.length / 4)));
reportFlat(warm, { heap: { slack: 8 }, process: { slack: 64 }, devices: { slack: 0.5 } }, report);
console.log(
  `${passed().toFixed(1)} minutes, ${rounds} rounds, ${done.tokens} tokens, ${done.steps} training steps, ${done.forks} forks`,
);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
for (const device of Object.values(devices)) await device.close();
for (const model of models) await model.dispose();
