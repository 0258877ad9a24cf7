import { linearAttention, mixerLayer } from "@qkv/attention";
import { add, mul, slice, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { cacheFor } from "../generation/cache-for.js";
import type { DecoderConfig } from "./decoder-config.js";
import { decoder } from "./decoder.js";

const mixer = mixerLayer({ embedDim: 8, numHeads: 2, mixer: linearAttention() });
const config: DecoderConfig = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 12, numLayers: 4, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
/** A mixer alone, attention alone, a feed-forward layer alone, and attention with a mixer beside it. */
const mixed: DecoderConfig = {
  ...config,
  layerTypes: [mixer, "full", "none", { attention: "full", mixer }],
  feedForwardLayers: [false, false, true, true],
};
const ids = [3, 1, 4, 1, 5, 9, 2, 6];

test("layers have the configured parts, and the cache has a layer for each mixer and attention", () => {
  const { init, apply } = decoder(mixed);
  const params = init(1);
  expect(params.layers.map((layer) => Object.keys(layer).filter((key) => !key.endsWith("Norm")))).toEqual([
    ["attention"],
    ["attention"],
    ["feedForward"],
    ["attention", "feedForward"],
  ]);
  const cache = cacheFor(mixed);
  expect(cache.numLayers).toBe(4);
  apply(params, ids, { cache });
  expect([0, 3].map((layer) => cache.state(layer)?.state?.shape)).toEqual([
    [1, 2, 4, 4],
    [1, 2, 4, 4],
  ]);
  expect([1, 2].map((layer) => (cache.read(layer).key[0] as Tensor).shape[2])).toEqual([8, 8]);
});

test("attention and a parallel mixer have the same input, and their outputs are added", () => {
  const hybrid: DecoderConfig = {
    ...config,
    ...{ numLayers: 1, layerTypes: [{ attention: "full", mixer }], feedForwardLayers: [false] },
  };
  const model = decoder(hybrid);
  const params = model.init(1);
  const rows = (own: DecoderConfig, attention: object): Record<string, Tensor> => {
    const tensors: Record<string, Tensor> = {};
    const layers = [{ ...params.layers[0]!, attention: attention as never }];
    decoder(own).apply({ ...params, layers }, ids, { trace: { names: ["embeddings", "output"], tensors } });
    return tensors;
  };
  const { mixer: own, ...attention } = params.layers[0]!
    .attention as (typeof params.layers)[0]["attention"] & {
    mixer: object;
  };
  const both = rows(hybrid, { ...attention, mixer: own });
  const alone = rows({ ...hybrid, layerTypes: ["full"] }, attention);
  const mixes = rows({ ...hybrid, layerTypes: [mixer] }, own);
  const output = "layers.0.output";
  const sum = add(add(alone[output]!, mixes[output]!), mul(both["embeddings"]!, -1));
  expect(both[output]!.data).toBeAllclose(sum.data, { atol: 1e-5 });
});

test("logits with a cache, and of packed documents, equal those of the text alone", () => {
  const { init, apply } = decoder(mixed);
  const params = init(1);
  const fullLogits = apply(params, ids);
  const cache = cacheFor(mixed);
  apply(params, ids.slice(0, 3), { cache });
  const rest = apply(params, ids.slice(3), { cache });
  expect(rest.data).toBeAllclose(slice(fullLogits, 1, 3).data, { atol: 1e-5 });
  const packed = apply(params, [...ids, ...ids], {
    documents: [...ids.map(() => 0), ...ids.map(() => 1)],
    positions: Int32Array.from([...ids.keys(), ...ids.keys()]),
  });
  expect(slice(packed, 1, 8).data).toBeAllclose(fullLogits.data, { atol: 1e-5 });
});

test("the attention gate multiplies outputs by the sigmoid of its logits", () => {
  const gated: DecoderConfig = {
    ...config,
    numLayers: 1,
    attentionGate: "elementwise",
    feedForwardLayers: [false],
  };
  const { init, apply } = decoder(gated);
  const params = init(1);
  const { attention } = params.layers[0]!;
  expect(attention.gate!.weight.shape).toEqual([8, 8]);
  const open = { ...attention, gate: { weight: mul(attention.gate!.weight, 0) } };
  const logits = (attention: object) =>
    apply({ ...params, layers: [{ ...params.layers[0]!, attention: attention as never }] }, ids).data;
  // Logits of 0 are gates of 1/2, so an output projection of twice the size gives the ungated output.
  const openGates = { ...open, output: { weight: mul(attention.output.weight, 2) } };
  const { gate: _, ...plain } = attention;
  const { attentionGate: __, ...bare } = gated;
  const layers = [{ ...params.layers[0]!, attention: plain }];
  expect(logits(openGates)).toBeAllclose(decoder(bare).apply({ ...params, layers }, ids).data, {
    atol: 1e-5,
  });
});

test("a layer without parts, a list of another length and parallel placement are refused", () => {
  const wrong = (more: object) => () => decoder({ ...mixed, ...more });
  expect(wrong({ feedForwardLayers: [false, false, false, true] })).toThrow(/decoder: `layerTypes\[2\]`/);
  expect(wrong({ feedForwardLayers: [true] })).toThrow(/`feedForwardLayers`/);
  expect(wrong({ layerTypes: [mixer, "full", "none", { attention: "none", mixer }] })).toThrow(
    /`layerTypes\[3\]`/,
  );
  expect(wrong({ placement: "parallel" })).toThrow(/`placement`/);
  expect(wrong({ attentionGate: "all" })).toThrow(/`attentionGate`/);
});
