import { attention } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import {
  linear,
  mean,
  mul,
  randn,
  reshape,
  square,
  sub,
  type Tensor,
} from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { trainStep } from "@qkv/transformer/training";
import { bars, lines } from "@qkv/viz";

// Which letter stood before? Keys must tell the place, values the letter.
const batchAt = lookupBatches({ back: [1], seed: 1 }); // 8 letters, 8 places
const C = 16;
const D = slider("numbers in a query, key and value", {
  min: 4,
  max: 16,
  step: 4,
  value: 8,
});

type Params = { query: Tensor; key: Tensor; value?: Tensor; output: Tensor };
type Handed = (p: Params, x: Tensor, query: Tensor, key: Tensor) => Tensor;
const none = new Error("this layer has no value weights");
const handed: Record<string, Handed> = {
  "V of its own": (p, x) => {
    if (!p.value) throw none;
    return linear(x, p.value);
  },
  "V = K": (_, x, query, key) => key,
  "V = Q": (_, x, query) => query,
  "V = X": (_, x) => x,
};

const runs = Object.entries(handed).map(([name, value]) => {
  const draw = (seed: number, out: number, inner: number) =>
    mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner));
  const params: Params = {
    query: draw(1, D, C),
    key: draw(2, D, C),
    ...(name === "V of its own" && { value: draw(3, D, C) }),
    output: draw(4, 8, name === "V = X" ? C : D),
  };
  const loss = (p: Params, { rows, answers }: LookupBatch) => {
    const [query, key] = [linear(rows, p.query), linear(rows, p.key)];
    const [Q, K, V] = [query, key, value(p, rows, query, key)].map((x) =>
      reshape(x, [16, 1, 8, x.shape[2] ?? D]),
    ) as [Tensor, Tensor, Tensor]; // [B, H, T, D]
    const mixed = reshape(attention(Q, K, V), [16, 8, V.shape[3] ?? D]);
    return mean(square(sub(linear(mixed, p.output), answers)));
  };
  const optimizer = adam({ learningRate: 0.02 });
  const [step, state] = [
    trainStep({ loss, optimizer }),
    optimizer.init(params),
  ];
  const losses = Array.from({ length: 200 }, (_, i) =>
    Number(step(params, state, [batchAt(i)]).toNested()),
  );
  const end = Number(loss(params, batchAt(1000)).toNested()); // new letters
  const weights = Object.values(params).reduce((n, w) => n + w.data.length, 0);
  print(name.padEnd(13), `${weights} weights, error ${end.toFixed(3)}`);
  return { name, losses, end, weights };
});

const labels = runs.map(({ name }) => name);
show(
  lines(
    {
      data: runs.flatMap(({ losses }) => losses.filter((_, i) => i % 4 === 3)),
      shape: [4, 50],
    },
    {
      title: "error, as a share of guessing",
      labels,
      x: { data: Array.from({ length: 50 }, (_, i) => 4 * i + 3), shape: [50] },
      xLabel: "step",
    },
  ),
);
show(
  bars(
    { data: runs.map(({ weights }) => weights), shape: [4] },
    { labels, title: "weights" },
  ),
);

const [own = NaN, asKey = NaN, asQuery = NaN, asInput = NaN] = runs.map(
  ({ end }) => end,
);
if (D === 8 && !(own < 0.05 && asInput < 0.05))
  throw new Error("a place for the letter was not enough");
if (D === 8 && !(asKey > 2 * own && asQuery > 2 * own))
  throw new Error("keys had room for both");
