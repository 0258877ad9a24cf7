import { groupedQuery, type AttentionParams } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { concat, mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { trainStep } from "@qkv/transformer/training";
import { attentionMap, lines } from "@qkv/viz";

// Which letter stood before? One of 16, and a head has 2 numbers: none can carry a letter alone.
const [H, D] = [8, 2];
const batchAt = lookupBatches({ back: [1], vocabSize: 16, seed: 9 });
const sizes = { embedDim: 24, numHeads: H, numKvHeads: H, headDim: D };
const layer = groupedQuery(sizes);
const loss = (params: AttentionParams, { rows, answers }: LookupBatch) =>
  mean(square(sub(slice(layer.apply(params, rows), 2, 0, 16), answers)));

// A head owns D rows of query, key and value, and D columns of the output.
const axes = { query: 0, key: 0, value: 0, output: 1 };
type Name = keyof typeof axes;
const headOf = (params: AttentionParams, name: Name, h: number) =>
  slice(params[name].weight, axes[name], h * D, h * D + D);
function startWith(alike: Name[]) {
  const params = layer.init(1);
  for (const name of alike) {
    const copies = Array<Tensor>(H).fill(headOf(params, name, 0));
    params[name] = { weight: concat(copies, axes[name]) };
  }
  return params;
}
const starts: [string, Name[]][] = [
  ["all alike", ["query", "key", "value", "output"]],
  ["output random", ["query", "key", "value"]],
  ["all random", []],
];

const chosen = slider("look at the heads of start", {
  min: 1,
  max: 3,
  value: 1,
});
const runs = starts.map(([name, alike], n) => {
  const [params, optimizer] = [startWith(alike), adam({ learningRate: 0.01 })];
  const [step, state] = [
    trainStep({ loss, optimizer }),
    optimizer.init(params),
  ];
  const losses = Array.from({ length: 200 }, (_, i) =>
    Number(step(params, state, [batchAt(i)]).toNested()),
  );

  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["weights"] as const, tensors };
  layer.apply(params, slice(batchAt(0).rows, 0, 0, 1), { trace });
  if (n + 1 === chosen && tensors["weights"])
    show(attentionMap(tensors["weights"], { cellSize: 9, max: 1 }));

  // As text, numbers are equal only if every bit is.
  const kinds = Array.from({ length: H }, (_, h) =>
    (Object.keys(axes) as Name[]).map((x) => headOf(params, x, h).data).join(),
  );
  const different = new Set(kinds).size;
  const error = losses.at(-1) ?? NaN;
  print(`${name}: ${different} different heads, error ${error.toFixed(3)}`);
  return { losses, different, error };
});

const every5th = Array.from({ length: 40 }, (_, i) => 5 * i + 4);
show(
  lines(
    {
      data: runs.flatMap(({ losses }) => every5th.map((i) => losses[i] ?? NaN)),
      shape: [3, 40],
    },
    {
      title: "error, as a share of guessing",
      labels: starts.map(([name]) => name),
      x: { data: every5th, shape: [40] },
      xLabel: "step",
    },
  ),
);

const [alike, broken, random] = runs;
if (!alike || !broken || !random) throw new Error("three starts");
if (alike.different !== 1 || broken.different !== H || random.different !== H)
  throw new Error("heads parted that cannot, or did not that can");
if (!(random.error < broken.error && broken.error < alike.error / 2))
  throw new Error("another order");
