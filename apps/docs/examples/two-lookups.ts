import { multiHead, type AttentionParams } from "@qkv/attention";
import { check, choice, print, show } from "@qkv/page";
import { mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { train } from "@qkv/transformer/training";
import { attentionMap, lines } from "@qkv/viz";

// Every position must output two letters: the one just before it, and the one
// before that.
const batchAt = lookupBatches({ offsets: [1, 2], seed: 1 }); // 8 letters, 8 positions
const labels = ["one head", "two heads"];
const chosen = choice("show the map of", labels);
const losses: number[] = [];
const errors: number[] = [];
for (const numHeads of [1, 2]) {
  // 16 numbers in all: one head of 16, or two of 8. Both have the same number
  // of weights.
  const layer = multiHead({ embedDim: 16, numHeads });
  const params = layer.init(1);
  const loss = (p: AttentionParams, { rows, targets }: LookupBatch) =>
    mean(square(sub(layer.apply(p, rows), targets)));
  const optimizer = adam({ learningRate: 0.02 });
  const run = train({ params, loss, optimizer, batchAt, steps: 200 });
  for await (const step of run) losses.push(step.loss);

  // Test on new letters: the error of the first answer and of the second.
  const { rows, targets } = batchAt(1000);
  const weights: Record<string, Tensor> = {};
  const trace = { names: ["weights"] as const, tensors: weights };
  const miss = square(sub(layer.apply(params, rows, { trace }), targets));
  const ofFirst = mean(slice(miss, 2, 0, 8)).data[0]!;
  const ofSecond = mean(slice(miss, 2, 8, 16)).data[0]!;
  errors.push(ofFirst, ofSecond);
  print(labels[numHeads - 1], ofFirst.toFixed(3), "and", ofSecond.toFixed(3));
  if (labels[numHeads - 1] === chosen)
    show(attentionMap(slice(weights["weights"]!, 0, 0, 1), { max: 1 }));
}
const title = "error at each step (1 = guessing)";
show(lines({ data: losses, shape: [2, 200] }, { title, labels }));

// One head adds both letters into one sum, so half of the error remains,
// however it divides its weight.
const [first, second, ...ofTwo] = errors as [number, number, ...number[]];
check("half of the error remains with one head", (first + second) / 2 > 0.4);
if (ofTwo.some((error) => error > 0.05)) throw new Error("two heads failed");
