import { attention } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { linear, mean, mul, randn, reshape } from "@qkv/tensor";
import { square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { train } from "@qkv/transformer/training";
import { bars, lines } from "@qkv/viz";

// Which letter came before? Keys must encode the position, values the letter.
const batchAt = lookupBatches({ offsets: [1], seed: 1 }); // 8 letters, 8 places
const D = slider("numbers in Q, K and V", {
  min: 4,
  max: 16,
  step: 4,
  value: 8,
});
const C = 16;

type Params = { query: Tensor; key: Tensor; value?: Tensor; output: Tensor };
const valueOf: Record<string, (p: Params, x: Tensor) => Tensor> = {
  "separate V": (p, x) => linear(x, p.value!),
  "V = K": (p, x) => linear(x, p.key),
  "V = Q": (p, x) => linear(x, p.query),
  "V = X": (_, x) => x,
};
const draw = (seed: number, out: number, inner: number) =>
  mul(randn([out, inner], { seed }), inner ** -0.5);

const losses: number[] = [];
const runs: { error: number; weights: number }[] = [];
for (const [name, value] of Object.entries(valueOf)) {
  const params: Params = {
    query: draw(1, D, C),
    key: draw(2, D, C),
    ...(name === "separate V" && { value: draw(3, D, C) }),
    output: draw(4, 8, name === "V = X" ? C : D),
  };
  const loss = (p: Params, { rows, targets }: LookupBatch) => {
    const x = reshape(rows, [16, 1, 8, C]); // [B, H, T, C]
    const [query, key] = [linear(x, p.query), linear(x, p.key)];
    const output = linear(attention(query, key, value(p, x)), p.output);
    return mean(square(sub(reshape(output, targets.shape), targets)));
  };
  const optimizer = adam({ learningRate: 0.02 });
  const run = train({ params, loss, optimizer, batchAt, steps: 200 });
  for await (const step of run) losses.push(step.loss);
  const error = loss(params, batchAt(1000)).data[0]!; // new letters
  const weights = Object.values(params).reduce((n, w) => n + w.data.length, 0);
  print(name.padEnd(13), `${weights} weights, error ${error.toFixed(3)}`);
  runs.push({ error, weights });
}
const labels = Object.keys(valueOf);
const title = "error at each step (1 = guessing)";
show(lines({ data: losses, shape: [4, 200] }, { title, labels }));
const data = runs.map(({ weights }) => weights);
show(bars({ data, shape: [4] }, { labels, title: "weights" }));

const [own, asKey, asQuery, asInput] = runs.map(({ error }) => error) as [
  number,
  number,
  number,
  number,
];
if (D === 8 && !(own < 0.05 && asInput < 0.05))
  throw new Error("separate values or V = X did not learn the task");
if (D === 8 && !(asKey > 2 * own && asQuery > 2 * own))
  throw new Error("V = K or V = Q learned the task");
