import { multiHead } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import {
  feedForward,
  norm,
  transformerLayer,
  type Norm,
} from "@qkv/transformer";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { trainStep } from "@qkv/transformer/training";
import { lines } from "@qkv/viz";

// Each place wants the letter before it, from a stack of six layers.
const batchAt = lookupBatches({ back: [1], batchSize: 8, seed: 1 });
const attention = multiHead({ embedDim: 16, numHeads: 2 });
const fed = feedForward({
  embedDim: 16,
  hiddenDim: 32,
  activation: "gelu",
  gated: false,
});
const layerNorm = norm({ kind: "layer", embedDim: 16 });
const noNorm: Norm = { init: layerNorm.init, apply: (_, x) => x };
const parts = { attention, feedForward: fed };
const pre = transformerLayer({ ...parts, norm: layerNorm });
const post = transformerLayer({ ...parts, norm: layerNorm, placement: "post" });
const bare = transformerLayer({ ...parts, norm: noNorm });
type Params = ReturnType<typeof pre.init>;
const kinds: Record<string, (params: Params, x: Tensor) => Tensor> = {
  "norm before": (params, x) => pre.apply(params, x),
  "norm after": (params, x) => post.apply(params, x),
  "no norm": (params, x) => bare.apply(params, x),
  "no residual": (params, x) => {
    const y = layerNorm.apply(params.attentionNorm, x);
    const mixed = attention.apply(params.attention, y);
    const z = layerNorm.apply(params.feedForwardNorm, mixed);
    return fed.apply(params.feedForward, z);
  },
};

const steps = 100;
const ends = Object.entries(kinds).map(([name, layer]) => {
  const params = Array.from({ length: 6 }, (_, i) => pre.init(i + 1));
  const loss = (stack: Params[], { rows, answers }: LookupBatch) => {
    const x = stack.reduce((x, params) => layer(params, x), rows);
    return mean(square(sub(slice(x, 2, 0, 8), answers)));
  };
  const optimizer = adam({ learningRate: 0.01 });
  const [step, state] = [
    trainStep({ loss, optimizer, maxNorm: 1 }),
    optimizer.init(params),
  ];
  const losses = Array.from({ length: steps }, (_, i) =>
    Number(step(params, state, [batchAt(i)]).toNested()),
  );
  const end = losses.slice(-10).reduce((a, b) => a + b) / 10;
  print(`${name}: error ${end.toFixed(3)}`);
  return { name, losses, end };
});

const data = ends.flatMap(({ losses }) => losses.filter((_, i) => i % 2 === 1));
show(
  lines(
    { data, shape: [4, steps / 2] },
    {
      title: "error, as a share of guessing",
      labels: ends.map(({ name }) => name),
      x: {
        data: Array.from({ length: steps / 2 }, (_, i) => 2 * i + 1),
        shape: [steps / 2],
      },
      xLabel: "step",
    },
  ),
);

const [before = NaN, ...others] = ends.map(({ end }) => end);
if (!(before < 0.4 && others.every((end) => end > 0.5)))
  throw new Error("another order");
