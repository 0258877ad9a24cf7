// Generates tokens on wasm with every cache that is exact: conversation after conversation through one cache of each
// kind. All must generate the same tokens. The last line says whether heap, process or device used more memory in the
// second half than in the first.
//   node --expose-gc scripts/flat/generation.mjs [--tokens 10000]
import { parseArgs } from "node:util";
import {
  growingCache,
  mixedCache,
  pagedCache,
  prefixCache,
  rollingCache,
  staticCache,
} from "../../packages/kv-cache/dist/index.js";
import { mapTensors } from "../../packages/tensor/dist/index.js";
import { decoder, generate } from "../../packages/transformer/dist/index.js";
import { wasm } from "../../packages/wasm/dist/index.js";

const { values } = parseArgs({ options: { tokens: { type: "string", default: "10000" } } });
const mebibyte = 2 ** 20;
const [numLayers, contextLength, prompt] = [4, 256, [1, 7, 3, 11, 5]];
const talk = 200;

const caches = {
  growing: () => growingCache({ numLayers }),
  "growing, unrotated keys": () => growingCache({ numLayers, unrotatedKeys: true }),
  static: () => staticCache({ numLayers, maxLength: contextLength }),
  rolling: () => rollingCache({ numLayers, windowSize: contextLength }),
  paged: () => pagedCache({ numLayers, pages: 20, pageLength: 16 }),
  prefix: () => prefixCache({ numLayers, pages: 20, pageLength: 16 }),
  mixed: () => {
    const paged = pagedCache({ numLayers: 2, pages: 20, pageLength: 16 });
    const growing = growingCache({ numLayers: 2 });
    return mixedCache([paged, growing, paged, growing]);
  },
};

const device = await wasm({ threads: 1 });
const { config, init, apply } = decoder({
  vocabSize: 512,
  embedDim: 64,
  hiddenDim: 172,
  numLayers,
  numHeads: 8,
  numKvHeads: 4,
  contextLength,
  normEps: 1e-5,
  stopIds: [],
});
const params = mapTensors(init(3), (x) => x.to(device));
const model = { config, params, apply, tokenizer: undefined };

const each = Math.ceil(Number(values.tokens) / Object.keys(caches).length);
let [passed, failed, total, reference] = [0, 0, 0, ""];
for (const [name, make] of Object.entries(caches)) {
  const cache = make();
  const highest = { heap: [0, 0], process: [0, 0], device: [0, 0] };
  let [generated, same] = [0, true];
  while (generated < each) {
    cache.reset();
    const ids = [];
    // The same seed for each conversation and cache: a cache that loses or swaps a token changes the output.
    const sampling = { temperature: 1, seed: 5 };
    for await (const { id } of generate(model, prompt, { maxTokens: talk, cache, sampling })) ids.push(id);
    reference ||= ids.join();
    same &&= ids.length === talk && ids.join() === reference;
    generated += ids.length;
    await new Promise((resolve) => setTimeout(resolve)); // finalization callbacks run between tasks
    globalThis.gc?.();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    const now = { heap: heapUsed + arrayBuffers, process: rss, device: device.memory().bytes ?? 0 };
    const half = generated <= each / 2 ? 0 : 1;
    for (const kind of Object.keys(highest))
      highest[kind][half] = Math.max(highest[kind][half], now[kind] / mebibyte);
  }
  total += generated;
  const slack = { heap: globalThis.gc ? 5 : 32, process: 32, device: 0.5 };
  const flat = Object.entries(highest).every(
    ([kind, [first, second]]) => second <= first * 1.05 + slack[kind],
  );
  if (flat && same) passed += 1;
  else failed += 1;
  const figures = Object.entries(highest).map(
    ([kind, [first, second]]) => `${kind} ${first.toFixed(1)} then ${second.toFixed(1)} MiB`,
  );
  const note = same ? "" : ", OTHER TOKENS";
  console.log(`${flat ? "flat" : "growing"}: ${name}, ${generated} tokens${note}: ${figures.join(", ")}`);
}
console.log(`${total} tokens in all`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
