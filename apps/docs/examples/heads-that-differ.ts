import { multiHead, type AttentionParams } from "@qkv/attention";
import { check, choice, print, show } from "@qkv/page";
import { concat, mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { train } from "@qkv/transformer/training";
import { attentionMap, lines } from "@qkv/viz";

// Which of 16 letters came before? A head has 2 numbers, so no head can
// represent a letter alone.
const [H, D] = [8, 2];
const batchAt = lookupBatches({ offsets: [1], vocabSize: 16, seed: 9 });
const layer = multiHead({ embedDim: 24, numHeads: H, headDim: D });
const loss = (p: AttentionParams, { rows, targets }: LookupBatch) =>
  mean(square(sub(slice(layer.apply(p, rows), 2, 0, 16), targets)));

// A head owns D rows of query, key and value, and D columns of the output.
const axes = { query: 0, key: 0, value: 0, output: 1 };
const names = ["query", "key", "value", "output"] as const;
const headOf = (p: AttentionParams, name: keyof typeof axes, h: number) =>
  slice(p[name].weight, axes[name], h * D, h * D + D);

// The first `alike` of the four matrices start as eight copies of the first
// head.
const starts = { "all alike": 4, "output random": 3, "all random": 0 };
const chosen = choice("show the heads of", Object.keys(starts));
const [losses, errors]: [number[], number[]] = [[], []];
const kinds: number[] = [];
for (const [start, alike] of Object.entries(starts)) {
  const params = layer.init(1);
  for (const name of names.slice(0, alike)) {
    const copies = Array<Tensor>(H).fill(headOf(params, name, 0));
    params[name] = { weight: concat(copies, axes[name]) };
  }
  const optimizer = adam({ learningRate: 0.01 });
  const run = train({ params, loss, optimizer, batchAt, steps: 200 });
  for await (const step of run) losses.push(step.loss);

  // As text, numbers are equal only if every bit is equal.
  const texts = Array.from({ length: H }, (_, h) =>
    names.map((name) => headOf(params, name, h).data).join(),
  );
  kinds.push(new Set(texts).size);
  errors.push(losses.at(-1)!);
  print(
    `${start}: ${kinds.at(-1)} of ${H} heads distinct,`,
    `error ${errors.at(-1)?.toFixed(3)}`,
  );
  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["weights"] as const, tensors };
  layer.apply(params, slice(batchAt(0).rows, 0, 0, 1), { trace });
  if (start === chosen)
    show(attentionMap(tensors["weights"]!, { cellSize: 9, max: 1 }));
}
const title = "error at each step (1 = guessing)";
const labels = Object.keys(starts);
show(lines({ data: losses, shape: [3, 200] }, { title, labels }));

if (kinds.join() !== `1,${H},${H}`)
  throw new Error("equal heads separated, or different heads did not");
const [alike, broken, random] = errors as [number, number, number];
check(
  "the more weights start random, the smaller the error",
  random < broken && broken < alike / 2,
);
