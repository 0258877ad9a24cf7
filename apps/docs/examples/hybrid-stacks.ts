import { gatedDeltaRule, mixerLayer } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { silu, slice } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { cacheFor, decoder, type DecoderParams } from "@qkv/transformer";
import {
  nextTokenBatches,
  tokenLoss,
  trainStep,
} from "@qkv/transformer/training";
import { bars } from "@qkv/viz";

const steps = slider("steps of training", { min: 10, max: 60, value: 30 });

const recurrent = mixerLayer({
  embedDim: 16,
  numHeads: 2,
  mixer: gatedDeltaRule(),
  convolution: 4, // over queries, keys and values
  outputGate: silu,
});
// A hybrid stack is a list: three layers with a state, then one with keys.
const layerTypes = [recurrent, recurrent, recurrent, "full"] as const;
const sizes = { vocabSize: 10, embedDim: 16, hiddenDim: 32, numHeads: 2 };
const { config, init, apply } = decoder({
  ...sizes,
  numKvHeads: 2,
  numLayers: layerTypes.length,
  layerTypes,
  contextLength: 64,
  normEps: 1e-5,
  stopIds: [],
});

// It learns a text that repeats.
const text = Array.from({ length: 200 }, (_, t) => [3, 1, 4, 1, 5, 9][t % 6]!);
const batches = nextTokenBatches(text, {
  batchSize: 2,
  contextLength: 12,
  seed: 1,
});
const params = init(1);
const optimizer = adamW({ learningRate: 0.01 });
const step = trainStep({
  loss: tokenLoss<DecoderParams>({ apply }),
  optimizer,
});
const state = optimizer.init(params);
const losses = Array.from(
  { length: steps },
  (_, n) => step(params, state, [batches(n)]).data[0]!,
);
const [first, last] = [losses[0]!, losses.at(-1)!];
print(`loss: ${first.toFixed(2)} at first, ${last.toFixed(2)} at the end`);
check("it learns", last < first);

// Token by token, with states and keys side by side.
const prompt = text.slice(0, 12);
const whole = apply(params, prompt); // [1, T, V]
const cache = cacheFor(config);
const most = prompt.map((id, t) => {
  const row = apply(params, [id], { cache });
  const { data } = slice(whole, 1, t, t + 1);
  return Math.max(...row.data.map((x, i) => Math.abs(x - data[i]!)));
});
check(
  "one token at a time gives what the prompt gives",
  Math.max(...most) < 1e-3,
);

const bytesOf = (layer: number) =>
  Object.values(cache.state(layer)!).reduce(
    (sum, x) => sum + x.data.byteLength,
    0,
  );
const perToken = 2 * config.embedDim * 4; // of a layer with keys
const at = [16, 64, 256].map((tokens) => [
  4 * perToken * tokens,
  3 * bytesOf(0) + perToken * tokens,
]);
show(
  bars(
    { data: at.flat().map((bytes) => bytes / 1024), shape: [6] },
    {
      labels: ["16", "16 hybrid", "64", "64 hybrid", "256", "256 hybrid"],
      unit: "KiB",
      title: "Cache after so many tokens: four layers of attention, or one",
    },
  ),
);
