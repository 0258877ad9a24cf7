// A conversation without end: decode steps through a rolling and a paged cache, on js and on wasm. The last line says
// whether heap, process or device used more memory in the second half than in the first.
//   node --expose-gc scripts/flat/caches.mjs [--steps 100000]
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { attention, causal } from "../../packages/attention/dist/index.js";
import { pagedCache, rollingCache } from "../../packages/kv-cache/dist/index.js";
import { js, randn } from "../../packages/tensor/dist/index.js";
import { wasm } from "../../packages/wasm/dist/index.js";

const { values } = parseArgs({ options: { steps: { type: "string", default: "100000" } } });
const steps = Number(values.steps);
const mebibyte = 2 ** 20;
const [numLayers, H, Hkv, D] = [2, 4, 2, 16];
const mask = causal();
let [passed, failed] = [0, 0];

/** Appends a token in every layer, and attends to the cached tokens. */
function decode(device, cache, token, query) {
  device.scope(() => {
    for (let layer = 0; layer < numLayers; layer++)
      attention(query, cache.update(layer, token, token), { mask });
  });
}

async function loop(name, device, makeStep) {
  const step = makeStep();
  const highest = { heap: [0, 0], process: [0, 0], device: [0, 0] };
  const start = performance.now();
  let lastProgress = start;
  for (let i = 0; i < steps; i++) {
    step(i);
    if (i % Math.ceil(steps / 100) !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve)); // finalization callbacks run between tasks
    globalThis.gc?.();
    const half = i < steps / 2 ? 0 : 1;
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    const now = { heap: heapUsed + arrayBuffers, process: rss, device: device.memory().bytes ?? 0 };
    for (const kind of Object.keys(highest))
      highest[kind][half] = Math.max(highest[kind][half], now[kind] / mebibyte);
    if (performance.now() - lastProgress > 5000) {
      lastProgress = performance.now();
      console.error(`${name}: ${Math.round((100 * i) / steps)} %`);
    }
  }
  const slack = { heap: globalThis.gc ? 5 : 32, process: 48, device: 0.5 };
  const flat = Object.entries(highest).every(
    ([kind, [first, second]]) => second <= first * 1.05 + slack[kind],
  );
  if (flat) passed += 1;
  else failed += 1;
  const figures = Object.entries(highest).map(
    ([kind, [first, second]]) => `${kind} ${first.toFixed(1)} then ${second.toFixed(1)} MiB`,
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${flat ? "flat" : "growing"}: ${name}, ${steps} steps: ${figures.join(", ")} (${seconds} s)`);
}

for (const device of [js(), await wasm({ threads: 1 })]) {
  const tokens = Array.from({ length: 16 }, (_, seed) => randn([1, Hkv, 1, D], { seed }).to(device));
  const query = randn([1, H, 1, D], { seed: 99 }).to(device);
  await loop(`rolling on ${device.name}`, device, () => {
    const cache = rollingCache({ numLayers, windowSize: 32, keepFirst: 4 });
    return (i) => decode(device, cache, tokens[i % 16], query);
  });
  await loop(`paged on ${device.name}`, device, () => {
    // Conversations begin and end, and forks of replies are made and released, in a pool of fixed size.
    const cache = pagedCache({ numLayers, pages: 12, pageLength: 8 });
    return (i) => {
      if (cache.length >= 48) cache.crop(i % 3 === 0 ? 0 : 16);
      decode(device, cache, tokens[i % 16], query);
      if (i % 10 !== 0) return;
      const fork = cache.fork();
      decode(device, fork, tokens[i % 16], query);
      fork.reset();
    };
  });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
