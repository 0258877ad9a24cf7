import { multiHead } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { mean, slice, square, sub, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { feedForward, norm, transformerLayer } from "@qkv/transformer";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { train } from "@qkv/transformer/training";
import { lines } from "@qkv/viz";

// Each position must output the letter before it, through a stack of six
// layers.
const batchAt = lookupBatches({ offsets: [1], batchSize: 8, seed: 1 });
const attention = multiHead({ embedDim: 16, numHeads: 2 });
const fed = feedForward({ embedDim: 16, hiddenDim: 32, gated: false });
const layerNorm = norm({ kind: "layer", embedDim: 16 });
const none: typeof layerNorm = { init: layerNorm.init, apply: (_, x) => x };
const parts = { attention, feedForward: fed, norm: layerNorm };
const pre = transformerLayer(parts);
type Params = ReturnType<typeof pre.init>;
const kinds: Record<string, (p: Params, x: Tensor) => Tensor> = {
  "norm before": pre.apply,
  "norm after": transformerLayer({ ...parts, placement: "post" }).apply,
  "no norm": transformerLayer({ ...parts, norm: none }).apply,
  "no residual": (p, x) => {
    const attended = attention.apply(
      p.attention,
      layerNorm.apply(p.attentionNorm, x),
    );
    return fed.apply(
      p.feedForward,
      layerNorm.apply(p.feedForwardNorm, attended),
    );
  },
};

const losses: number[] = [];
const ends: number[] = [];
for (const [name, layer] of Object.entries(kinds)) {
  const params = Array.from({ length: 6 }, (_, i) => pre.init(i + 1));
  const loss = (stack: Params[], { rows, targets }: LookupBatch) => {
    const x = stack.reduce((x, params) => layer(params, x), rows);
    return mean(square(sub(slice(x, 2, 0, 8), targets)));
  };
  const run = { params, loss, optimizer: adam({ learningRate: 0.01 }) };
  for await (const step of train({ ...run, maxNorm: 1, batchAt, steps: 100 }))
    losses.push(step.loss);
  ends.push(losses.slice(-10).reduce((a, b) => a + b) / 10);
  print(`${name}: error ${ends.at(-1)!.toFixed(3)}`);
}
// The first errors without norms are in the hundreds.
const data = losses.map((loss) => Math.min(loss, 2));
const title = "error at each step, cut off at 2 (1 = guessing)";
const labels = Object.keys(kinds);
show(lines({ data, shape: [4, 100] }, { title, labels, xLabel: "step" }));

const [before, ...others] = ends;
check(
  "only “norm before” learns in 100 steps",
  before! < 0.4 && others.every((end) => end > 0.5),
);
