// 10,000 calls of attention and 1,000 generated tokens on webgpu, with Node's default adapter: buffers, heap and
// process do not grow between the first half and the second, and the second compiles no shader.
//   node --expose-gc scripts/flat/webgpu.mjs [--calls 10000] [--tokens 1000]
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { attention, causal } from "../../packages/attention/dist/index.js";
import { growingCache } from "../../packages/kv-cache/dist/index.js";
import { mapTensors, randn, slice } from "../../packages/tensor/dist/index.js";
import { decoder, generate } from "../../packages/transformer/dist/index.js";
import { webgpu } from "../../packages/webgpu/dist/index.js";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "10000" },
    tokens: { type: "string", default: "1000" },
  },
});
const resolve = createRequire(new URL("../../packages/webgpu/package.json", import.meta.url)).resolve;
const { create } = await import(pathToFileURL(resolve("webgpu")).href);
const gpu = create([]);
const mebibyte = 2 ** 20;

/** The maximum of each measurement in the first and in the second half. */
function measureHalves(device) {
  const highest = [0, 1].map(() => ({ buffers: 0, heap: 0, process: 0, shaders: 0 }));
  return {
    highest,
    async measure(half) {
      await device.finish();
      await new Promise((resolve) => setTimeout(resolve));
      globalThis.gc?.();
      const { bytes, idleBytes } = device.memory();
      const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
      const now = {
        buffers: (bytes + idleBytes) / mebibyte,
        heap: (heapUsed + arrayBuffers) / mebibyte,
        process: rss / mebibyte,
        shaders: device.report().counts.pipelines,
      };
      for (const kind in now) highest[half][kind] = Math.max(highest[half][kind], now[kind]);
    },
  };
}

async function calls(device, count, scoped) {
  const { highest, measure } = measureHalves(device);
  const x = randn([1, 4, 64, 16], { seed: 1 }).to(device);
  for (let i = 0; i < count; i++) {
    const keys = slice(x, 2, 0, 1 + (i % 64));
    const call = () => attention(slice(x, 2, 0, 1), keys, keys, { mask: causal() });
    const y = scoped ? device.scope(call) : call();
    if (i % 100 !== 99) continue;
    await y.read();
    await measure(i < count / 2 ? 0 : 1);
  }
  return highest;
}

async function tokens(device, count) {
  const numLayers = 2;
  const { config, init, apply } = decoder({
    vocabSize: 64,
    embedDim: 32,
    hiddenDim: 64,
    numLayers,
    numHeads: 4,
    numKvHeads: 2,
    contextLength: 256,
    normEps: 1e-5,
    stopIds: [],
  });
  const model = { config, params: mapTensors(init(3), (x) => x.to(device)), apply, tokenizer: undefined };
  const { highest, measure } = measureHalves(device);
  const cache = growingCache({ numLayers });
  for (let done = 0; done < count;) {
    cache.reset();
    const maxTokens = Math.min(100, count - done);
    for await (const _ of generate(model, [1, 7, 3, 11, 5], { maxTokens, cache })) done += 1;
    await measure(done <= count / 2 ? 0 : 1);
  }
  return highest;
}

const adapter = await gpu.requestAdapter();
if (!adapter) {
  console.log("skipped: no WebGPU adapter");
  console.log("0 passed, 0 failed");
  process.exit(0);
}
const device = await webgpu({ gpu, budgetBytes: 2 ** 24 });
console.log(`on ${device.report().adapter}`);
const parts = {
  [`${values.calls} calls in scopes`]: () => calls(device, Number(values.calls), true),
  [`${values.calls} calls without scopes`]: () => calls(device, Number(values.calls), false),
  [`${values.tokens} tokens`]: () => tokens(device, Number(values.tokens)),
};
let [passed, failed] = [0, 0];
for (const [name, run] of Object.entries(parts)) {
  const [first, second] = await run();
  const slack = { buffers: 1, heap: globalThis.gc ? 5 : 32, process: 32, shaders: 0 };
  const flat = Object.keys(slack).every((kind) => second[kind] <= first[kind] * 1.05 + slack[kind]);
  if (flat) passed += 1;
  else failed += 1;
  const comparisons = Object.keys(slack).map(
    (kind) => `${kind} ${first[kind].toFixed(1)} then ${second[kind].toFixed(1)}`,
  );
  console.log(`${flat ? "flat" : "grows"}: ${name}: ${comparisons.join(", ")} (MiB)`);
}
device.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
