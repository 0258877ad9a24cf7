import { causal, tracedAttention } from "@qkv/attention";
import { print } from "@qkv/page";
import { randn } from "@qkv/tensor";

const [query, key, value] = [1, 2, 3].map((seed) =>
  randn([1, 2, 4, 8], { seed }),
);
if (!query || !key || !value) throw new Error("three were asked for");

const { scores, weights, lse, output } = tracedAttention(
  query,
  key,
  value,
  { mask: causal() },
  ["scores", "weights", "lse"],
);
print("scores ", scores.shape, "before softmax; −∞ where masked");
print("weights", weights.shape, "after softmax");
print("lse    ", lse.shape, "logarithm of the softmax denominator");
print("output ", output.shape, "weighted sum of the values");

const sums = Array.from({ length: 8 }, (_, row) =>
  Array.from(weights.data.slice(4 * row, 4 * row + 4)).reduce(
    (a, b) => a + b,
    0,
  ),
);
if (sums.some((sum) => Math.abs(sum - 1) > 1e-6))
  throw new Error("a row of weights does not sum to 1");
const again = Array.from(weights.data, (_, i) =>
  Math.exp(scores.data[i]! - lse.data[Math.floor(i / 4)]!),
);
if (again.some((w, i) => Math.abs(w - weights.data[i]!) > 1e-6))
  throw new Error("the weights should be exp(scores − lse)");
