// Writes small training runs as data, for `training-losses.py`: configuration, initial weights and the batches of each
// step.
import { mapTensors } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { nextTokenBatches } from "@qkv/transformer/training";

const sizes = { vocabSize: 29, embedDim: 32, hiddenDim: 64, numLayers: 2, numHeads: 4, contextLength: 24 };
const configs = {
  llama: { ...sizes, numKvHeads: 2, normEps: 1e-5, stopIds: [] },
  gpt2: {
    ...sizes,
    numKvHeads: 4,
    normEps: 1e-5,
    stopIds: [],
    norm: "layer",
    activation: "geluTanh",
    gated: false,
    positions: "learned",
    bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
  },
};
const text = Array.from({ length: 2000 }, (_, i) => (i * i + (i >> 3)) % 29);
const settings = {
  steps: 200,
  order: { batchSize: 4, contextLength: 24, seed: 1 },
  learningRate: 0.003,
  weightDecay: 0.01,
  maxNorm: 1,
  seed: 2,
};

const batchAt = nextTokenBatches(text, settings.order);
const batches = Array.from({ length: settings.steps }, (_, step) => {
  const { ids, targets } = batchAt(step);
  return [ids.toNested(), targets.toNested()];
});
const runs = Object.entries(configs).map(([name, config]) => {
  const weights = {};
  mapTensors(decoder(config).init(settings.seed), (x, path) => (weights[path] = x.toNested()) && x);
  return [name, { config, weights }];
});
console.log(JSON.stringify({ settings, text, batches, runs: Object.fromEntries(runs) }));
