import { attention, attentionWeights, tracedAttention } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { ones, randn } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const x = randn([1, 1, 8, 8], { seed: 1 }); // [B, H, T, D]
const rate = slider("rate, in percent", { min: 0, max: 90, value: 30 }) / 100;

// Values of 1 show the sum of the remaining weights, each scaled by 1 / (1 −
// rate).
const left = Array.from(
  { length: 200 },
  (_, seed) =>
    attention(x, x, ones([1, 1, 8, 1]), { dropout: { rate, seed } }).data[7] ??
    NaN,
);
let sum = 0;
const means = left.map((one, i) => (sum += one) / (i + 1));
show(
  lines(
    { data: means, shape: [200] },
    { xLabel: "seeds", yLabel: "mean so far" },
  ),
);
print("mean over 200 seeds:", means.at(-1));
check("the mean is near 1", Math.abs((means.at(-1) ?? NaN) - 1) <= 0.35);

// The same seed drops the same weights; no seed drops none. Traced weights are
// from before dropout.
const by = (seed: number) =>
  attention(x, x, x, { dropout: { rate, seed } }).data.join();
if (by(5) !== by(5)) throw new Error("the same seed gave different results");
const { weights } = tracedAttention(x, x, x, { dropout: { rate, seed: 5 } }, [
  "weights",
]);
if (weights.data.join() !== attentionWeights(x, x).data.join())
  throw new Error("weights were traced after dropout");
