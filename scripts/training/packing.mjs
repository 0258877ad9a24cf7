// The speedup of packing. Trains on examples of many lengths: one example per row with padding, several per row, and several
// per row with a document mask, whose masked tiles attention skips. Prints targets per second on `wasm` with one thread, the
// median of alternating rounds:
//   node scripts/training/packing.mjs [rounds, default 5]
import { mapTensors, randint, tensor } from "../../packages/tensor/dist/index.js";
import { adamW } from "../../packages/tensor/dist/optimizers.js";
import { decoder } from "../../packages/transformer/dist/index.js";
import { packedBatches, textExample } from "../../packages/transformer/dist/data.js";
import { tokenLoss, trainStep } from "../../packages/transformer/dist/training.js";
import { wasm } from "../../packages/wasm/dist/index.js";

const rounds = Number(process.argv[2] ?? 5);
const device = await wasm({ threads: 1 });
const sizes = { vocabSize: 512, embedDim: 128, hiddenDim: 352, numLayers: 4, numHeads: 4, numKvHeads: 2 };
const model = decoder({ ...sizes, contextLength: 1024, normEps: 1e-5, stopIds: [] });
const params = mapTensors(model.init(1), (x) => x.to(device));
const optimizer = adamW({ learningRate: 1e-4 });
const state = optimizer.init(params);
const step = trainStep({ loss: tokenLoss(model), optimizer });

// Lengths of conversations: between 16 and 256 tokens, most of them short.
const [count, T] = [512, 1024];
const draws = randint([count, 2], { low: 16, high: 257, seed: 1 }).toNested();
const ids = (length, seed) => [...randint([length], { low: 0, high: 512, seed }).data];
const examples = draws.map(([a, b], n) => textExample(ids(Math.min(a, b), n + 2)));
const packed = packedBatches(examples, { batchSize: 4, contextLength: T, seed: 1, device });

/** A batch of as many tokens as a packed one, with one example per row. */
function oneToARow(at) {
  const [B, width] = [16, 256];
  const rows = examples.slice(at * B, (at + 1) * B);
  const make = (name, fill) => {
    const values = new Int32Array(B * width).fill(fill);
    rows.forEach((row, b) => values.set(row[name], b * width));
    return tensor(values, { shape: [B, width], dtype: "int32", device });
  };
  return { ids: make("ids", 0), targets: make("targets", -100) };
}

const kinds = {
  "one to a row, padded to 256": oneToARow,
  "packed, attention over the whole row": (at) => ({
    ...packed(at),
    documents: undefined,
    positions: undefined,
  }),
  "packed, with a mask of documents": packed,
};
const speeds = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
const times = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
for (let round = -1; round < rounds; round++) {
  for (const [name, batchAt] of Object.entries(kinds)) {
    const batch = batchAt(round + 1);
    const targets = batch.targets.data.filter((target) => target >= 0).length;
    const start = performance.now();
    step(params, state, [batch]);
    const seconds = (performance.now() - start) / 1000;
    // The first round is warm-up.
    if (round < 0) continue;
    speeds[name].push(targets / seconds);
    times[name].push(seconds * 1000);
  }
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
for (const name of Object.keys(kinds))
  console.log(
    `${name}: ${Math.round(median(speeds[name]))} targets/s, ${median(times[name]).toFixed(0)} ms a step of 4096 tokens`,
  );
