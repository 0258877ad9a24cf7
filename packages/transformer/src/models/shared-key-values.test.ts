import { growingCache, quantizedCache, rollingCache, type KvCache } from "@qkv/kv-cache";
import { mul, slice, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { cacheFor } from "../generation/cache-for.js";
import type { DecoderConfig } from "./decoder-config.js";
import { decoder } from "./decoder.js";

/** Five layers, three of which compute keys and values, with different widths, head dimensions and rotary bases. */
const config: DecoderConfig = {
  ...{ vocabSize: 23, embedDim: 16, hiddenDim: 12, numLayers: 5, numHeads: 4, numKvHeads: 2, headDim: 4 },
  ...{ contextLength: 64, normEps: 1e-5, stopIds: [], activation: "geluTanh", placement: "both" },
  ...{ qkNorm: true, valueNorm: true, attentionScale: 1, window: 4, ropeBase: 1e6, slidingRopeBase: 1e4 },
  layerTypes: ["sliding", "full", "sliding", "sliding", "full"],
  sharedKeyValues: [0, 1, 2, 2, 1],
  layerOverrides: [
    { activationSparsity: 0.8, hiddenDim: 20 },
    { headDim: 8 },
    undefined,
    { hiddenDim: 24 },
    { headDim: 8 },
  ],
  ...{
    altUp: { streams: 3, outputScale: true },
    laurelRank: 3,
    perLayerEmbedding: { dim: 4, vocabSize: 20 },
  },
};
const model = decoder(config);
const params = model.init(3);
const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 22, 7];
const close = { rtol: 0, atol: 2e-5 };
const fullLogits = model.apply(params, ids);
const far = (x: Tensor) => Math.max(...Array.from(x.data, (y, i) => Math.abs(y - fullLogits.data[i]!)));

test("initial params have the sizes of each layer, and no key and value projections in layers that share", () => {
  const [sparse, full, , sharing, last] = params.layers;
  expect(Object.keys(sharing!.attention).sort()).toEqual(["output", "query", "queryNorm"]);
  expect(full!.attention.key.weight.shape).toEqual([16, 16]);
  expect(last!.attention.query.weight.shape).toEqual([32, 16]);
  const widths = [sparse, full, sharing].map(
    (layer) => (layer!.feedForward as { up: { weight: Tensor } }).up,
  );
  expect(widths.map(({ weight }) => weight.shape[0])).toEqual([20, 12, 24]);
});

const caches: Record<string, () => KvCache> = {
  growing: () => cacheFor(config),
  rolling: () => rollingCache({ numLayers: 3, windowSize: 64 }),
  unrotated: () => growingCache({ numLayers: 3, unrotatedKeys: true }),
};

test.each(Object.keys(caches))("with a %s cache, logits of chunks equal those of the whole text", (name) => {
  for (const chunk of [1, 3, 5, 9]) {
    const cache = caches[name]!();
    for (let at = 0; at < ids.length; at += chunk) {
      const end = Math.min(at + chunk, ids.length);
      const logits = model.apply(params, ids.slice(at, end), { cache });
      expect(logits.data).toBeAllclose(slice(fullLogits, 1, at, end).data, close);
    }
    expect(cache.length).toBe(ids.length);
  }
});

test("a rolling cache holds enough keys for the layers that share them", () => {
  // With sliding windows in all layers, a cache of the window is enough.
  const sliding: DecoderConfig = { ...config, layerTypes: ids.slice(0, 5).map(() => "sliding" as const) };
  const slidingShared = { ...sliding, sharedKeyValues: [0, 1, 2, 2, 1] };
  const { apply, init } = decoder(slidingShared);
  const [weights, cache] = [init(3), rollingCache({ numLayers: 3, windowSize: 4 })];
  const text = apply(weights, ids);
  for (const [at, end] of [
    [0, 9],
    [9, 14],
  ] as const)
    expect(apply(weights, ids.slice(at, end), { cache }).data).toBeAllclose(
      slice(text, 1, at, end).data,
      close,
    );
});

test("a cache has three layers, is saved and restored, and is rolled back after an error", () => {
  const cache = cacheFor(config);
  expect(cache.numLayers).toBe(3);
  model.apply(params, ids.slice(0, 6), { cache });
  const shapes = [0, 1, 2].map((layer) => (cache.read(layer).key[0] as Tensor).shape);
  expect(shapes).toEqual([
    [1, 2, 6, 4],
    [1, 2, 6, 8],
    [1, 2, 6, 4],
  ]);
  const restored = cacheFor(config);
  restored.restore(cache.save());
  const [a, b] = [cache, restored].map((layerCache) =>
    model.apply(params, ids.slice(6), { cache: layerCache }),
  );
  expect(b!.data).toEqual(a!.data);
  expect(() =>
    model.apply({ ...params, layers: [...params.layers.slice(0, 4), {} as never] }, [1], { cache }),
  ).toThrow();
  expect(cache.length).toBe(ids.length);
});

test("a quantized cache changes the logits by less than 0.2", () => {
  const cache = quantizedCache({ numLayers: 3, groupSize: 4, residualLength: 4 });
  const logits = model.apply(params, ids, { cache });
  expect(far(logits)).toBeLessThan(0.2);
});

test("each option changes the logits", () => {
  const changed: Record<string, DecoderConfig> = {
    sharedKeyValues: { ...config, sharedKeyValues: [0, 1, 2, 0, 1] },
    valueNorm: { ...config, valueNorm: false },
    activationSparsity: { ...config, layerOverrides: config.layerOverrides!.with(0, { hiddenDim: 20 }) },
    "altUp.active": { ...config, altUp: { ...config.altUp!, active: 1 } },
    "altUp.outputScale": { ...config, altUp: { streams: 3 } },
    "altUp.coefficientLimit": { ...config, altUp: { ...config.altUp!, coefficientLimit: 0.01 } },
    "perLayerEmbedding.vocabSize": { ...config, perLayerEmbedding: { dim: 4, vocabSize: 9 } },
    "layerOverrides.ropeBase": {
      ...config,
      layerOverrides: config.layerOverrides!.with(2, { ropeBase: 10 }),
    },
    "layerOverrides.ropeScaling": {
      ...config,
      layerOverrides: config.layerOverrides!.with(1, {
        headDim: 8,
        ropeScaling: { type: "linear", factor: 4 },
      }),
    },
    laurelRank: (({ laurelRank: _, ...others }) => others)(config),
    perLayerEmbedding: (({ perLayerEmbedding: _, ...others }) => others)(config),
    altUp: (({ altUp: _, ...others }) => others)(config),
  };
  const scaled = {
    ...params,
    layers: params.layers.map((layer) => ({
      ...layer,
      altUp: { ...layer.altUp!, outputScale: mul(layer.attentionNorm.weight, 0.5) },
    })),
  };
  const before = model.apply(scaled, ids).data;
  for (const [name, changedConfig] of Object.entries(changed)) {
    const after = decoder(changedConfig).apply(scaled, ids).data;
    const largest = Math.max(...Array.from(after, (y, i) => Math.abs(y - before[i]!)));
    expect(largest, name).toBeGreaterThan(1e-3);
  }
});

test("`layerScale` multiplies the output of each layer, after its per-layer embedding is added", () => {
  const { altUp: _, ...others } = config;
  const [plain, scaled] = [others, { ...others, layerScale: true }].map((own) => decoder(own)) as [
    ReturnType<typeof decoder>,
    ReturnType<typeof decoder>,
  ];
  const weights = scaled.init(3);
  expect(weights.layers.map((layer) => layer.scale!.toNested())).toEqual([[1], [1], [1], [1], [1]]);
  expect(scaled.apply(weights, ids).data).toEqual(plain.apply(weights, ids).data);
  const withHalfScale = (i: number) => ({
    ...weights,
    layers: weights.layers.map((layer, j) => (i === j ? { ...layer, scale: mul(layer.scale!, 0.5) } : layer)),
  });
  const outputs = (stack: typeof scaled, params: typeof weights): Record<string, Tensor> => {
    const tensors: Record<string, Tensor> = {};
    stack.apply(params, ids, { trace: { names: ["output"], tensors } });
    return tensors;
  };
  const [before, after] = [outputs(plain, weights), outputs(scaled, withHalfScale(2))];
  const name = "layers.2.output";
  expect(after[name]!.data).toBeAllclose(mul(before[name]!, 0.5).data, close);
  expect(after["layers.1.output"]!.data).toEqual(before["layers.1.output"]!.data);
});

test("an intervention on a layer output changes the logits, with AltUp streams", () => {
  const zero = (x: Tensor) => mul(x, 0);
  const trace = { names: [], tensors: {}, interventions: { "layers.2.output": zero } };
  expect(far(model.apply(params, ids, { trace }))).toBeGreaterThan(1e-3);
});

test("invalid options, and a cache of another number of layers, are refused", () => {
  const refused = (more: Partial<DecoderConfig>) => () => decoder({ ...config, ...more });
  expect(refused({ sharedKeyValues: [0, 1, 2, 2] })).toThrow(
    /`sharedKeyValues` .*a number for each of the 5/,
  );
  expect(refused({ sharedKeyValues: [0, 1, 2, 1, 1] })).toThrow(
    /`sharedKeyValues\[3\]` is 1, expected 3, or/,
  );
  expect(refused({ sharedKeyValues: [0, 1, 2, 2, 4.5] })).toThrow(/`sharedKeyValues\[4\]`/);
  expect(refused({ layerOverrides: [undefined] })).toThrow(/`layerOverrides` .*each of the 5 layers/);
  expect(refused({ layerOverrides: config.layerOverrides!.with(1, { headDim: 0 }) })).toThrow(
    /`layerOverrides\[1\].headDim` is 0/,
  );
  expect(refused({ layerOverrides: config.layerOverrides!.with(1, { numHeads: 2 } as never) })).toThrow(
    /numHeads/,
  );
  expect(refused({ altUp: { streams: 1 } })).toThrow(/`altUp.streams` is 1, .*\nFix: leave `altUp` out/);
  expect(refused({ altUp: { streams: 3, active: 3 } })).toThrow(/`altUp.active` is 3/);
  expect(refused({ perLayerEmbedding: { dim: 0 } })).toThrow(/`perLayerEmbedding.dim` is 0/);
  expect(refused({ laurelRank: 0 })).toThrow(/`laurelRank` is 0/);
  expect(refused({ activationSparsity: 1 })).toThrow(/`activationSparsity` is 1/);
  expect(refused({ qkNorm: false })).toThrow(/`valueNorm` is true, expected false, without qkNorm/);
  expect(refused({ layerScale: true })).toThrow(/`layerScale` is true, expected false, beside altUp/);
  expect(() => model.apply(params, ids, { cache: growingCache({ numLayers: 5 }) })).toThrow(
    /`cache` is "a cache of 5 layers", expected one of 3.*\nFix: make it with `cacheFor\(model.config\)`/,
  );
});
