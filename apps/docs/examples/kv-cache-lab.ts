import { growingCache } from "@qkv/kv-cache";
import { print, show, slider } from "@qkv/page";
import { argmax, count, slice } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { lines } from "@qkv/viz";

// The weights are random, so the text means nothing. Only the amount of work
// matters.
const model = decoder({
  ...{ vocabSize: 64, embedDim: 32, hiddenDim: 64, numLayers: 2 },
  ...{ numHeads: 4, numKvHeads: 2, contextLength: 128 },
  ...{ normEps: 1e-5, stopIds: [] },
});
const params = model.init(1);
const promptLength = slider("prompt, in tokens", {
  min: 2,
  max: 48,
  value: 16,
});
const newTokens = slider("new tokens", { min: 2, max: 24, value: 16 });

function write(cache?: ReturnType<typeof growingCache>) {
  const ids = Array.from({ length: promptLength }, (_, i) => (7 * i) % 64);
  const [work, rows]: [number[], number[]] = [[], []];
  for (let n = 0; n < newTokens; n++) {
    // Without a cache, read the whole text; with one, only the tokens that it
    // lacks.
    const next = cache ? ids.slice(cache.length) : ids;
    const { result, flops } = count(() =>
      model.apply(params, next, cache && { cache }),
    );
    work.push(flops / 2e6); // a multiply-add is two operations
    const last = slice(result, 1, -1); // [1, 1, V]
    rows.push(...last.data);
    ids.push(argmax(last).data[0] ?? 0);
  }
  return { ids, work, rows };
}

const cache = growingCache({ numLayers: 2 });
const [without, kept] = [write(), write(cache)];
if (without.rows.join() !== kept.rows.join())
  throw new Error("the results differ");
print("both write the same tokens, with equal logits:", kept.ids);

const total = (work: number[]) => work.reduce((a, b) => a + b, 0);
const ratio = total(without.work) / total(kept.work);
print(`without a cache: ${ratio.toFixed(1)} times as many multiply-adds`);
print("the cache holds", cache.length, "tokens in", cache.bytes, "bytes");
show(
  lines(
    { data: [...without.work, ...kept.work], shape: [2, newTokens] },
    {
      labels: ["without a cache", "with a cache"],
      xLabel: "new token",
      yLabel: "million multiply-adds",
    },
  ),
);
