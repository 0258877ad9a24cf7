import {
  alibi,
  causal,
  groupedQuery,
  learnedPositions,
  rope,
  sinusoidal,
  type AttentionParams,
  type GroupedQueryConfig,
} from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import {
  add,
  embedding,
  mean,
  randn,
  slice,
  square,
  sub,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { lookupBatches, type LookupBatch } from "@qkv/transformer/tasks";
import { trainStep } from "@qkv/transformer/training";
import { lines } from "@qkv/viz";

const [C, trained] = [32, 8]; // trained on 8 letters
const tested = slider("letters in the test", {
  min: 8,
  max: 32,
  step: 8,
  value: 24,
});

// Which letter came before? Each letter is a vector; each kind below encodes
// the positions.
const letters = randn([8, C], { seed: 5 });
const table = learnedPositions({ length: 32, embedDim: C });
const waves = sinusoidal(32, C);
type Params = AttentionParams & { positions: { weight: Tensor } };
type Kind = {
  layer?: Partial<GroupedQueryConfig>;
  place(params: Params, x: Tensor): Tensor;
};
const asIs = (_: Params, x: Tensor) => x;
const kinds: Record<string, Kind> = {
  learned: { place: (params, x) => table.apply(params.positions, x) },
  sinusoidal: { place: (_, x) => add(x, slice(waves, 0, 0, x.shape[1] ?? 0)) },
  rope: { place: asIs, layer: { rope: rope({ headDim: 16 }) } },
  alibi: { place: asIs, layer: { scoreMod: alibi(tensor([1, 3])) } },
  none: { place: asIs },
};
const lookup = (contextLength: number) =>
  lookupBatches({ offsets: [1], contextLength, seed: 1 });
const runs = Object.entries(kinds).map(([name, { layer: of = {}, place }]) => {
  const layer = groupedQuery({
    embedDim: C,
    numHeads: 2,
    numKvHeads: 2,
    mask: causal({ offset: -1 }), // only earlier positions
    bias: true,
    ...of,
  });
  const params: Params = { ...layer.init(1), positions: table.init(2) };
  // The first position has nothing before it, so it is left out.
  const miss = (p: Params, { ids, targets }: LookupBatch) => {
    const x = place(p, embedding(letters, ids));
    const logits = slice(layer.apply(p, x), 2, 0, 8);
    return square(sub(slice(logits, 1, 1), slice(targets, 1, 1))); // [B, T − 1, V]
  };
  const optimizer = adam({ learningRate: 0.02 });
  const step = trainStep({
    loss: (p: Params, batch: LookupBatch) => mean(miss(p, batch)),
    optimizer,
  });
  const state = optimizer.init(params);
  const batchAt = lookup(trained);
  for (let i = 0; i < 200; i++) step(params, state, [batchAt(i)]);
  const missed = miss(params, lookup(tested)(1000));
  const error = Array.from(mean(missed, { axis: [0, 2] }).data); // [T − 1]
  const part = (from: number, to: number) => {
    const some = error.slice(from, to);
    return some.reduce((a, b) => a + b, 0) / some.length;
  };
  const [inside, beyond] = [
    part(0, trained - 1),
    part(trained - 1, tested - 1),
  ];
  print(
    name.padEnd(11),
    "trained positions:",
    inside.toFixed(3),
    " beyond:",
    tested > trained ? beyond.toFixed(3) : "–",
  );
  return { error, inside, beyond };
});
show(
  lines(
    { data: runs.flatMap(({ error }) => error), shape: [5, tested - 1] },
    {
      title: "error at each position (1 = guessing)",
      labels: Object.keys(kinds),
      xLabel: "position",
    },
  ),
);

const [learned, waved, rotated, sloped, without] = runs;
if (!learned || !waved || !rotated || !sloped || !without)
  throw new Error("five layers");
if (!(without.inside > 0.5)) throw new Error("learned without positions");
check(
  "every layer with positions learns the task",
  [learned, waved, rotated, sloped].every(({ inside }) => inside < 0.05),
);
if (tested > trained) {
  check(
    "learned and sinusoidal positions fail beyond the training length",
    learned.beyond > 1 && waved.beyond > 1,
  );
  check(
    "ALiBi continues to work, RoPE only in part",
    sloped.beyond < 0.05 && rotated.beyond > 0.02,
  );
}
