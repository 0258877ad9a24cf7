// A million calls of the wasm device, with and without scopes, with one thread and several, with changing shapes: the
// device's memory must not grow after the first of them, nor the process's after the first half.
//   node scripts/flat/wasm.mjs [--calls 1000000]
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { attention, causal } from "../../packages/attention/dist/index.js";
import { add, matmul, mul, randn, softmax } from "../../packages/tensor/dist/index.js";
import { wasm } from "../../packages/wasm/dist/index.js";

const { values } = parseArgs({ options: { calls: { type: "string", default: "1000000" } } });
const calls = Number(values.calls);
const mebibyte = 2 ** 20;
const mask = causal();
let failed = 0;

/** Runs some ops with and without a scope. Returns the number of calls. */
function step(device, weight, [x, heads]) {
  device.scope(() => {
    const y = softmax(add(mul(matmul(x, weight), 0.5), x));
    return add(y, mul(attention(heads, heads, heads, { mask }), 2));
  });
  matmul(x, weight);
  return 7;
}

for (const threads of [1, 2]) {
  const device = await wasm({ threads });
  const weight = randn([32, 32], { seed: 1 }).to(device);
  const inputs = Array.from({ length: 61 }, (_, i) => [
    randn([1 + i, 32], { seed: i, device }),
    randn([1, 1, 1 + i, 32], { seed: i, device }),
  ]);
  const peak = [0, 0];
  const start = performance.now();
  let lastProgress = start;
  let done = 0;
  // A pass through all lengths, and the memory it used.
  for (const input of inputs) done += step(device, weight, input);
  const { bytes, grownBytes } = device.memory();
  for (let i = 0; done < calls; i++) {
    done += step(device, weight, inputs[i % inputs.length]);
    if (i % 500 !== 0) continue;
    const half = done < calls / 2 ? 0 : 1;
    peak[half] = Math.max(peak[half], process.memoryUsage().rss);
    if (performance.now() - lastProgress > 5000) {
      lastProgress = performance.now();
      console.error(`${device.name}: ${done} calls, ${Math.round(peak[half] / mebibyte)} MiB`);
    }
  }
  const after = device.memory();
  const made = Object.values(device.report().calls).reduce(
    (sum, { device, plain }) => sum + device + plain,
    0,
  );
  const [first, second] = peak.map((rss) => Math.round(rss / mebibyte));
  const flat = after.bytes === bytes && after.grownBytes === grownBytes && second <= first * 1.1 + 32;
  if (!flat) failed += 1;
  console.log(
    `${flat ? "flat" : "growing"}: ${made} calls on ${device.name}: ${after.bytes} bytes in use, ${after.grownBytes / mebibyte} MiB grown ` +
      `(${bytes} and ${grownBytes / mebibyte} at first); process ${first} MiB in the first half, ${second} MiB in the second ` +
      `(${((performance.now() - start) / 1000).toFixed(1)} s)`,
  );
  await device.close();
}
console.log(`${2 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
