import { groupedQuery, type AttentionParams } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { trainStep } from "@qkv/transformer/training";
import { attentionMap, lines } from "@qkv/viz";

// Every place wants two letters: the one just before it, and the one before that.
const batchAt = lookupBatches({ back: [1, 2], seed: 1 }); // 8 letters, 8 places
const chosen = slider("look at the layer with … heads", {
  min: 1,
  max: 2,
  value: 1,
});

const runs = [1, 2].map((numHeads) => {
  // 16 numbers in all: one head of 16, or two of 8. As many weights either way.
  const layer = groupedQuery({ embedDim: 16, numHeads, numKvHeads: numHeads });
  const loss = (params: AttentionParams, { rows, answers }: LookupBatch) =>
    mean(square(sub(layer.apply(params, rows), answers)));
  const [params, optimizer] = [layer.init(1), adam({ learningRate: 0.02 })];
  const step = trainStep({ loss, optimizer });
  const state = optimizer.init(params);
  const losses: number[] = [];
  for (let i = 0; i < 200; i++)
    losses.push(Number(step(params, state, [batchAt(i)]).toNested()));

  // New letters: how wrong is the first answer, how wrong the second?
  const { rows, answers } = batchAt(1000);
  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["weights"] as const, tensors };
  const miss = square(sub(layer.apply(params, rows, { trace }), answers));
  const errors = [0, 8].map((at) =>
    Number(mean(slice(miss, 2, at, at + 8)).toNested()),
  );
  if (numHeads === chosen && tensors["weights"])
    show(attentionMap(slice(tensors["weights"], 0, 0, 1), { max: 1 }));
  print(
    `${numHeads} head${numHeads > 1 ? "s" : ""}:`,
    errors.map((x) => x.toFixed(3)).join(" and "),
    "of the error of guessing",
  );
  return { losses, errors };
});

const data = runs.flatMap(({ losses }) => losses.filter((_, i) => i % 4 === 3));
show(
  lines(
    { data, shape: [2, 50] },
    {
      title: "error, as a share of guessing",
      labels: ["one head", "two heads"],
      x: { data: Array.from({ length: 50 }, (_, i) => 4 * i + 3), shape: [50] },
      xLabel: "step",
    },
  ),
);

// One head mixes both letters into one sum, so that half of the error stays, however it divides its weight.
const [one = [], two = []] = runs.map(({ errors }) => errors);
const [first = NaN, second = NaN] = one;
if (!((first + second) / 2 > 0.4)) throw new Error("one head did both");
if (!two.every((error) => error < 0.05)) throw new Error("two heads failed");
