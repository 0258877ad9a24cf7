import { attentionWeights, differential, groupedQuery } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { mul, randn, sub, sum } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const lambda = slider("lambda", { min: 0, max: 1, step: 0.05, value: 0.8 });
// Two heads that score alike, each with some noise of its own.
const make = (seed: number) => randn([1, 1, 6, 8], { seed }); // [B, H, T, D]
const noisy = (seed: number) => sub(make(1), mul(make(seed), 0.3));
const [first, second] = [
  attentionWeights(noisy(3), make(2)),
  attentionWeights(noisy(4), make(2)),
];
const difference = sub(first, mul(second, lambda)); // [B, H / 2, T, S]
show(
  attentionMap(difference, {
    title: "First map − λ · second map",
    min: -1,
    max: 1,
  }),
);
print("rows sum to", sum(difference, { axis: -1 }).data);

// The layer: as many weights as plain attention, and four vectors that λ is made from.
const heads = { embedDim: 16, numHeads: 4, numKvHeads: 2 };
const layer = groupedQuery({
  ...heads,
  differential: differential({ lambdaInit: 0.2 }),
});
const params = layer.init(1);
print("vectors of λ", Object.keys(params.differential ?? {}).join(", "));
if (
  layer.apply(params, randn([1, 3, 16], { seed: 5 })).shape.join() !== "1,3,16"
)
  throw new Error("a differential layer should keep the shape");
const sums = sum(difference, { axis: -1 }).data;
if (!sums.every((total) => Math.abs(total - (1 - lambda)) < 1e-5))
  throw new Error("each row should sum to 1 − λ");
