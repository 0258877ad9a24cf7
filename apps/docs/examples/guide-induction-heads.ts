import { induction, previousToken } from "@qkv/attention";
import {
  ablate,
  headScores,
  runWithTrace,
  type AblationTarget,
} from "@qkv/lens";
import { check, choice, print, show } from "@qkv/page";
import { crossEntropy, mapTensors, slice, type Tensor } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder } from "@qkv/transformer";
import { repeatBatches } from "@qkv/transformer/tasks";
import { tokenLoss, train } from "@qkv/transformer/training";
import { attentionMap, bars } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

// Two layers of attention alone, trained on rows of tokens that repeat.
const seed = choice("seed", [1, 2, 3]);
const device = await wasm();
const batchAt = repeatBatches({ seed, minPeriod: 12, device });
const [numLayers, numHeads] = [2, 4];
const made = decoder({
  vocabSize: 32,
  embedDim: 64,
  hiddenDim: 64,
  numLayers,
  numHeads,
  numKvHeads: numHeads,
  feedForwardLayers: [false, false],
  contextLength: 32,
  ropeBase: 100,
  normEps: 1e-5,
  stopIds: [],
});
const params = mapTensors(made.init(seed), (x) => x.to(device));
let steps = 0;
const run = train({
  params,
  loss: tokenLoss(made),
  optimizer: adamW({ learningRate: 0.005, betas: [0.9, 0.99] }),
  maxNorm: 1,
  batchAt,
  steps: 2000,
});
for await (const { step, loss } of run) {
  steps = step;
  if (loss < 0.1) break;
}
const model = { config: made.config, params, apply: made.apply };
print(`trained for ${steps} steps`);

// Score every head on rows that it was not trained on.
const heldOut = batchAt(1_000_000);
const rows = Array.from({ length: 8 }, (_, row) =>
  slice(heldOut.ids, 0, row, row + 1),
);
function scoresOf(
  score: (weights: Tensor, ids: Int32Array) => Tensor,
): number[] {
  const all = rows.map((row) => [...headScores(model, row, score).values.data]);
  return all[0]!.map(
    (_, n) => all.reduce((sum, one) => sum + Number(one[n]), 0) / all.length,
  );
}
const heads = Array.from({ length: numLayers * numHeads }, (_, n) => ({
  layer: Math.floor(n / numHeads),
  head: n % numHeads,
}));
const nameOf = ({ layer, head }: (typeof heads)[number]) =>
  `layer ${layer}, head ${head}`;
const labels = heads.map(nameOf);
const scores = scoresOf(induction);
show(
  bars(
    { data: scores, shape: [heads.length] },
    {
      labels,
      max: 1,
      title: "induction score: weight on what came after an earlier copy",
    },
  ),
);
const found = heads.filter((_, n) => scores[n]! > 0.3);
const best = heads[scores.indexOf(Math.max(...scores))]!;
const before = scoresOf((weights) => previousToken(weights)).slice(0, numHeads);
print("induction heads:", found.map(nameOf).join("; "));
print(
  `previous-token head: layer 0, head ${before.indexOf(Math.max(...before))}`,
);

// The map of the best one: stripes one place after the earlier copy.
const { tensors } = runWithTrace(model, rows[0]!, { names: ["weights"] });
const maps = tensors[`layers.${best.layer}.attention.weights`]!;
show(
  attentionMap(slice(maps, 1, best.head, best.head + 1), {
    max: 1,
    cellSize: 10,
    title: nameOf(best),
  }),
);

// Confirm it: the loss without these heads, and without as many others.
function lossWithout(removed: readonly AblationTarget[]): number {
  const hooks = ablate(removed);
  const { logits } = runWithTrace(model, heldOut.ids, { names: [], hooks });
  return Number(crossEntropy(logits, heldOut.targets).data[0]);
}
const losses = {
  "all heads": lossWithout([]),
  "without induction heads": lossWithout(found),
  "without the previous-token head": lossWithout([
    { layer: 0, head: before.indexOf(Math.max(...before)) },
  ]),
};
show(
  bars(
    { data: Object.values(losses), shape: [3] },
    {
      labels: Object.keys(losses),
      title: "loss, in nats per token that can be known",
    },
  ),
);
print(
  `loss ${losses["all heads"].toFixed(2)}; without the ${found.length} induction heads ${losses["without induction heads"].toFixed(2)}`,
);
check(
  "the heads with the highest scores are in layer 1",
  found.length > 0 && found.every(({ layer }) => layer === 1),
);
check(
  "without them, the loss comes back",
  losses["without induction heads"] > losses["all heads"] + 1,
);
