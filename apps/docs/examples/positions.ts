import { attentionWeights, learnedPositions, sinusoidal } from "@qkv/attention";
import { choice, print, show } from "@qkv/page";
import { add, matmul, ones, reshape, transpose, zeros } from "@qkv/tensor";
import { attentionMap, lines } from "@qkv/viz";

const [T, C] = [24, 32];
const bases = [10, 100, 1000, 10_000, 100_000];
const base = choice("base", bases, { value: 10_000 });
const waves = sinusoidal(T, C, { base }); // [T, C]

// The dot product of two positions depends only on their distance.
const alike = matmul(waves, transpose(waves)); // [T, T]
const between = (i: number, j: number) => alike.data[i * T + j] ?? NaN;
const distances = Array.from({ length: T }, (_, distance) =>
  between(0, distance),
);
show(
  lines(
    { data: distances, shape: [T] },
    { xLabel: "distance, in tokens", yLabel: "p · p′" },
  ),
);
for (let i = 0; i + 5 < T; i++) {
  if (!(Math.abs(between(i, i + 5) - between(0, 5)) < 1e-4))
    throw new Error("the dot product depends on the position");
}

// One word repeated: only its positions differ.
const x = reshape(add(ones([T, C]), waves), [1, 1, T, C]); // [B, H, T, D]
const weights = attentionWeights(x, x); // [B, H, T, S]
show(attentionMap(weights));
const own = weights.data[12 * T + 12] ?? NaN;
if (!(own > (weights.data[12 * T] ?? NaN)))
  throw new Error("a distant position got as much weight");

// A learned table has a fixed number of positions.
const table = learnedPositions({ length: 8, embedDim: C });
const params = table.init(1);
print(
  "shape with learned positions:",
  table.apply(params, zeros([1, 8, C])).shape,
);
let refusal = "";
try {
  table.apply(params, zeros([1, 9, C]));
} catch (error) {
  refusal = String(error);
}
print(refusal);
if (!refusal.includes("Fix:"))
  throw new Error("the table should reject more positions than it has");
