// RWKV-7 in a decoder: time mixing and channel mixing have a state, and later layers read the values of the first.
import { multiHead } from "@qkv/attention";
import { slice, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { cacheFor } from "../generation/cache-for.js";
import { generate } from "../generation/generate.js";
import { feedForward } from "../layers/feed-forward.js";
import { norm } from "../layers/norm.js";
import { rwkv7ChannelMix } from "../layers/rwkv7-channel-mix.js";
import { rwkv7TimeMix } from "../layers/rwkv7-time-mix.js";
import { transformerLayer } from "../layers/transformer-layer.js";
import { quantize } from "../quantization/quantize.js";
import type { DecoderConfig } from "./decoder-config.js";
import { decoder } from "./decoder.js";

const sizes = { embedDim: 16, headDim: 8, normEps: 64e-5 };
const ranks = { decay: 3, rate: 3, gate: 4 };
const first = rwkv7TimeMix({ ...sizes, ranks });
const later = rwkv7TimeMix({ ...sizes, ranks: { ...ranks, value: 2 } });
const channelMix = rwkv7ChannelMix({ embedDim: 16, hiddenDim: 24 });
const config = {
  ...{ vocabSize: 11, embedDim: 16, hiddenDim: 24, numLayers: 3, numHeads: 2, numKvHeads: 2 },
  ...{ contextLength: 64, normEps: 1e-5, stopIds: [], norm: "layer", embeddingNorm: true },
  layerTypes: [first, later, later],
  feedForwardLayers: [channelMix, channelMix, channelMix],
} as unknown as DecoderConfig;
const { init, apply } = decoder(config);
const model = { config, params: init(1), apply, tokenizer: undefined };
const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];

function expectClose(ours: Tensor, theirs: Tensor): void {
  expect(ours.shape).toEqual(theirs.shape);
  ours.data.forEach((x, i) => expect(x).toBeCloseTo(theirs.data[i]!, 4));
}

test("a cache has two layers for each layer: state and shift of time mixing, shift of channel mixing", () => {
  const cache = cacheFor(config);
  apply(model.params, ids, { cache });
  const shapes = Array.from({ length: 6 }, (_, i) =>
    Object.fromEntries(Object.entries(cache.state(i)!).map(([name, x]) => [name, x.shape])),
  );
  expect(shapes[2]).toEqual({ state: [1, 2, 8, 8], shift: [1, 1, 16] });
  expect(shapes[3]).toEqual({ shift: [1, 1, 16] });
  expect(() => cache.state(6)).toThrow("`layer` is 6");
});

test("logits of packed documents equal those of each alone, and padding does not enter the state", () => {
  const documents = ids.map((_, t) => (t < 4 ? 0 : 1));
  const packed = apply(model.params, ids, { documents });
  expectClose(slice(packed, 1, 0, 4), apply(model.params, ids.slice(0, 4)));
  expectClose(slice(packed, 1, 4), apply(model.params, ids.slice(4)));
  const cache = cacheFor(config);
  apply(model.params, [...ids.slice(0, 4), 7, 7], { padding: [4], cache });
  expect(cache.length).toBe(4);
  const next = apply(model.params, ids.slice(4), { cache });
  expectClose(next, slice(apply(model.params, ids), 1, 4));
});

test("values of the first layer are not kept between calls, and a stack without a first layer is refused", () => {
  const alone = apply(model.params, ids).data;
  apply(model.params, [8, 8, 8]);
  expect(apply(model.params, ids).data).toEqual(alone);
  // A stack of later layers alone has no first values.
  const without = { ...config, layerTypes: [later, later, later] } as DecoderConfig;
  expect(() => decoder(without).apply(decoder(without).init(1), ids)).toThrow(/`firstLayer`/);
});

test("quantize rounds the large matrices, but not those of low rank", () => {
  const { model: rounded, report } = quantize(model);
  const layer = Object.keys(report.errors).filter((path) => path.startsWith("layers.0."));
  expect(layer).toEqual(
    ["query", "key", "value", "output"]
      .map((map) => `layers.0.attention.${map}.weight`)
      .concat(["up", "down"].map((map) => `layers.0.feedForward.${map}.weight`)),
  );
  const [roundedLogits, plainLogits] = [
    rounded.apply(rounded.params, ids).data,
    apply(model.params, ids).data,
  ];
  roundedLogits.forEach((x, i) => expect(Math.abs(x - plainLogits[i]!)).toBeLessThan(0.02));
});

test("heads are traced and replaced; attention weights are refused", () => {
  const tensors: Record<string, Tensor> = {};
  apply(model.params, ids, { trace: { names: ["heads", "feedForwardOutput"], tensors } });
  expect(tensors["layers.1.attention.heads"]!.shape).toEqual([1, 2, ids.length, 8]);
  expect(tensors["layers.2.feedForwardOutput"]!.shape).toEqual([1, ids.length, 16]);
  const interventions = { "layers.1.attention.heads": (x: Tensor) => slice(x, 2, 0) };
  expectClose(
    apply(model.params, ids, { trace: { names: [], tensors: {}, interventions } }),
    apply(model.params, ids),
  );
  expect(() =>
    apply(model.params, ids, { trace: { names: ["layers.0.attention.weights"], tensors: {} } }),
  ).toThrow(/trace.names/);
});

test("masks, speculation, bidirectional models and invalid feed-forward layers are refused", async () => {
  expect(() => apply(model.params, ids, { mask: {} as never })).toThrow(
    "expected none: models with recurrent layers do not support `mask`, since their state has already read every token.",
  );
  const drafts = { maxTokens: 1, speculate: { ngramSize: 2, draftLength: 2 } };
  await expect(generate(model, ids, drafts).next()).rejects.toThrow("none for a model with states");
  expect(() => decoder({ ...config, bidirectional: true })).toThrow("false, as some layers hold a state");
  expect(() => decoder({ ...config, feedForwardLayers: [channelMix, 3, true] as never })).toThrow(
    "expected true, false or a layer with init and apply, for each of the 3 layers",
  );
  const parts = {
    attention: multiHead({ embedDim: 16, numHeads: 2 }),
    norm: norm({ kind: "rms", embedDim: 16 }),
  };
  expect(() => transformerLayer({ ...parts, feedForward: channelMix })).toThrow(
    'transformerLayer: `feedForward` is "a layer with a state", expected one that works on each token alone',
  );
});

test("a custom feed-forward layer without a state has no cache layer", () => {
  const custom = feedForward({ embedDim: 16, hiddenDim: 5, activation: "relu", gated: false });
  const layers = {
    ...config,
    layerTypes: ["full", "full", "full"],
    feedForwardLayers: [custom, true, custom],
  };
  const stack = decoder(layers as unknown as DecoderConfig);
  const params = stack.init(1);
  expect(params.layers.map(({ feedForward }) => Object.keys(feedForward))).toEqual([
    ["up", "down"],
    ["gate", "up", "down"],
    ["up", "down"],
  ]);
  const cache = cacheFor(stack.config);
  stack.apply(params, ids.slice(0, 4), { cache });
  expectClose(stack.apply(params, ids.slice(4), { cache }), slice(stack.apply(params, ids), 1, 4));
  expect(() => cache.read(3)).toThrow("`layer` is 3");
});
