import { causal, groupedQuery, rope } from "@qkv/attention";
import { rollingCache } from "@qkv/kv-cache";
import { check, print, show, slider } from "@qkv/page";
import { concat, randn, slice } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const layer = groupedQuery({
  ...{ embedDim: 16, numHeads: 2, numKvHeads: 1 },
  ...{ mask: causal(), rope: rope({ headDim: 8 }) },
});
const params = layer.init(1);
const windowSize = slider("window, in tokens", { min: 2, max: 24, value: 8 });
const keepFirst = slider("first tokens kept", { min: 0, max: 4, value: 2 });
const steps = 60;
const x = randn([1, steps, 16], { seed: 2 }); // [B, T, C]

const cache = rollingCache({ windowSize, keepFirst, unrotatedKeys: true });
const held: number[] = [];
const differs: number[] = [];
for (let t = 0; t < steps; t++) {
  const y = layer.apply(params, slice(x, 1, t, t + 1), { cache });
  held.push(cache.stored);

  // Compare with a text that consists of only the remaining tokens.
  const first = Math.min(keepFirst, t + 1);
  const start = Math.max(first, t + 1 - windowSize);
  const left = concat([slice(x, 1, 0, first), slice(x, 1, start, t + 1)], 1);
  const fresh = slice(layer.apply(params, left), 1, -1);
  if (y.data.join() !== fresh.data.join()) differs.push(t);
}
print("tokens that differ:", differs.length, "of", steps);
check("no token differs", differs.length === 0);
print("tokens seen:", cache.length, "tokens stored:", cache.stored);
show(
  lines(
    {
      data: [...held.map((_, t) => t + 1), ...held],
      shape: [2, steps],
    },
    { labels: ["seen", "stored"], xLabel: "token", yLabel: "tokens" },
  ),
);
