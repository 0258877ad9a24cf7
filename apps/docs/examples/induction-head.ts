import { induction, previousToken } from "@qkv/attention";
import { ablate } from "@qkv/lens";
import { check, print, show } from "@qkv/page";
import { crossEntropy, mapTensors, slice, type Tensor } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder } from "@qkv/transformer";
import { repeatBatches } from "@qkv/transformer/tasks";
import { tokenLoss, train } from "@qkv/transformer/training";
import { attentionMap, bars, lines } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

// Rows of random tokens that repeat: x q b k x q b … Which token comes next?
const seed = 1;
const numLayers = 2;
const device = await wasm();
const batchAt = repeatBatches({ seed, minPeriod: 12, device }); // [16, 32]

// Layers of attention alone, with four heads each.
const model = decoder({
  vocabSize: 32,
  embedDim: 64,
  hiddenDim: 64,
  numLayers,
  numHeads: 4,
  numKvHeads: 4,
  feedForwardLayers: Array.from({ length: numLayers }, () => false),
  contextLength: 32,
  ropeBase: 100, // small, as rows are short
  normEps: 1e-5,
  stopIds: [],
});
const params = mapTensors(model.init(seed), (x) => x.to(device));
const loss = tokenLoss(model);

// Measures each head on rows that are not trained on: the weight on the token
// after an earlier copy of this one, and on the previous token.
const test = batchAt(1_000_000);
function headScores() {
  const tensors: Record<string, Tensor> = {};
  const names = ["weights"] as const;
  model.apply(params, test.ids, { trace: { names, tensors } });
  return Object.values(tensors).map((weights) => ({
    weights,
    induction: [...induction(weights, test.ids.data).data],
    previous: [...previousToken(weights).data],
  }));
}

const losses: number[] = [];
const scores: number[][] = [];
const start = performance.now();
let bump: { step: number; seconds: number } | undefined;
const run = train({
  params,
  loss,
  optimizer: adamW({ learningRate: 0.005, betas: [0.9, 0.99] }),
  maxNorm: 1,
  batchAt,
  steps: 2000,
});
for await (const { step, loss } of run) {
  losses.push(loss);
  if (step % 10 === 0)
    scores.push(headScores().flatMap(({ induction }) => induction));
  const seconds = (performance.now() - start) / 1000;
  if (!bump && loss < 1) bump = { step, seconds };
  if (loss < 0.1) break;
}
const seconds = (performance.now() - start) / 1000;
print(`${losses.length} steps in ${seconds.toFixed(1)} s on your device`);
print(
  bump
    ? `The loss fell below 1 at step ${bump.step}, after ${bump.seconds.toFixed(1)} s`
    : "The loss did not fall below 1",
);
show(
  lines(
    { data: losses, shape: [1, losses.length] },
    { title: "loss, in nats per token that can be known" },
  ),
);
const H = 4;
const heads = Array.from({ length: numLayers * H }, (_, n) => ({
  layer: Math.floor(n / H),
  head: n % H,
}));
const nameOf = ({ layer, head }: (typeof heads)[number]) =>
  `layer ${layer}, head ${head}`;
show(
  lines(
    {
      data: heads.flatMap((_, n) => scores.map((score) => score[n]!)),
      shape: [heads.length, scores.length],
    },
    { title: "induction score, every 10 steps", labels: heads.map(nameOf) },
  ),
);

// The head with the highest score, and its map of one row.
const final = headScores();
const scoreOf = ({ layer, head }: (typeof heads)[number]) =>
  final[layer]!.induction[head]!;
const ranked = [...heads].sort((a, b) => scoreOf(b) - scoreOf(a));
const best = ranked[0]!;
print("induction head:", nameOf(best), "score", scoreOf(best).toFixed(2));
const { weights } = final[best.layer]!;
const map = slice(slice(weights, 0, 0, 1), 1, best.head, best.head + 1);
show(attentionMap(map, { max: 1, cellSize: 10, title: nameOf(best) }));
const previous = final[0]!.previous;
const before = previous.indexOf(Math.max(...previous));
print(
  `previous-token head: layer 0, head ${before}, score ${previous[before]!.toFixed(2)}`,
);

// Remove heads, and measure the loss on the same rows.
const lossWithout = (removed: typeof heads) => {
  const interventions = ablate(removed);
  const trace = { names: [], tensors: {}, interventions };
  const logits = model.apply(params, test.ids, { trace });
  return crossEntropy(logits, test.targets).data[0]!;
};
const whole = lossWithout([]);
const without = heads.map((head) => lossWithout([head]));
show(
  bars(
    { data: [whole, ...without], shape: [heads.length + 1] },
    {
      labels: ["all heads", ...heads.map((head) => `without ${nameOf(head)}`)],
      title: "loss without one head",
    },
  ),
);
print("loss with all heads:", whole.toFixed(2));
const induces = heads.filter((head) => scoreOf(head) > 0.3);
const apart = lossWithout(induces);
print(
  `loss without the ${induces.length} heads that look there: ${apart.toFixed(2)}`,
);
if (numLayers === 2) {
  check("a head of layer 1 is an induction head", best.layer === 1);
  check("without such heads, the loss comes back", apart > whole + 1);
}
