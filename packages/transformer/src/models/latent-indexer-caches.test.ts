import { causal, keyNorm, latent, rope } from "@qkv/attention";
import {
  evictingCache,
  growingCache,
  latentCache,
  pagedCache,
  rollingCache,
  type KvCache,
} from "@qkv/kv-cache";
import { cast, concat, mapTensors, randn, slice, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { decoder } from "./decoder.js";

// The index keys of latent attention in caches.
const sizes = { embedDim: 6, numHeads: 2, queryRank: 5, kvRank: 4, nopeDim: 3, ropeDim: 2, valueDim: 3 };
const layerWith = (topK: number) =>
  latent({
    ...{ ...sizes, mask: causal(), rope: rope({ headDim: 2, layout: "interleaved" }) },
    indexer: { numHeads: 3, headDim: 4, topK, rope: rope({ headDim: 4, rotaryDim: 2 }) },
  });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const close = { rtol: 1e-10, atol: 1e-12 };

const caches: Record<string, () => KvCache> = {
  growing: () => growingCache(),
  latent: () => latentCache({ latentDim: 4 }),
  paged: () => pagedCache({ pageLength: 3, pages: 24 }),
};

test.each(Object.entries(caches))("%s cache: outputs of chunks equal those of one call", (_, newCache) => {
  const layer = layerWith(3);
  const [params, x] = [double(layer.init(1)), make([2, 8, 6], 2)];
  const fullOutput = layer.apply(params, x);
  for (const form of ["naive", "absorbed", "apply"] as const) {
    for (const chunk of [1, 3, 8]) {
      const cache = newCache();
      const parts = Array.from({ length: Math.ceil(8 / chunk) }, (_, i) =>
        layer[form](params, slice(x, 1, i * chunk, Math.min(8, (i + 1) * chunk)), { cache }),
      );
      expect(concat(parts, 1), `${form}, ${chunk}`).toBeAllclose(fullOutput, close);
    }
  }
});

test("a latent cache stores one latent, one rotary key and one index key per token", () => {
  const [layer, cache] = [layerWith(2), latentCache({ latentDim: 4 })];
  layer.apply(layer.init(1), randn([1, 5, 6], { seed: 2 }), { cache });
  expect(cache.bytes).toBe(5 * (4 + 2 + 4) * 4);
});

test("in a batch of different lengths, each sequence selects among its own keys", () => {
  const layer = layerWith(2);
  const [params, x] = [double(layer.init(3)), make([2, 7, 6], 4)];
  const cache = pagedCache({ pageLength: 2, pages: 24 });
  layer.apply(params, slice(x, 1, 0, 6), { cache });
  cache.crop([6, 3]);
  const y = layer.apply(params, slice(x, 1, 6), { cache });
  const rows = concat([slice(slice(x, 0, 1, 2), 1, 0, 3), slice(slice(x, 0, 1, 2), 1, 6)], 1);
  expect(slice(y, 0, 0, 1)).toBeAllclose(slice(layer.apply(params, slice(x, 0, 0, 1)), 1, 6), close);
  expect(slice(y, 0, 1, 2)).toBeAllclose(slice(layer.apply(params, rows), 1, 3), close);
});

test("the last query of a long text selects the same keys in one call as alone with a cache", () => {
  const layer = layerWith(5);
  const [params, x] = [double(layer.init(5)), make([1, 150, 6], 6)];
  const cache = growingCache();
  layer.apply(params, slice(x, 1, 0, 149), { cache });
  const last = layer.apply(params, slice(x, 1, 149), { cache });
  expect(last).toBeAllclose(slice(layer.apply(params, x), 1, 149), close);
});

test("with a rolling or evicting cache, a query selects among the keys that remain", () => {
  const layer = layerWith(3);
  const [params, x] = [double(layer.init(1)), make([1, 9, 6], 2)];
  const all = latent({ ...layer.config, indexer: { ...layer.config.indexer!, topK: 9 } });
  const kinds: (() => KvCache)[] = [
    () => rollingCache({ windowSize: 3 }),
    () => evictingCache({ budget: 4, score: keyNorm() }),
  ];
  kinds.forEach((kind, k) => {
    const [topCache, allCache] = [kind(), kind()];
    for (let t = 0; t < 9; t++) {
      const row = slice(x, 1, t, t + 1);
      const [y, z] = [layer, all].map((layer, i) =>
        layer.apply(params, row, { cache: [topCache, allCache][i]! }),
      );
      // With topK keys or fewer, all are selected.
      if (k === 0 || t < 3) expect(y!).toBeAllclose(z!, close);
      else if (t > 4) expect(y!.data).not.toEqual(z!.data);
    }
  });
});

test("the indexer of a decoder needs `latent.queryRank` and a headDim of at least `ropeDim`", () => {
  const config = {
    ...{
      vocabSize: 7,
      embedDim: 6,
      hiddenDim: 8,
      numLayers: 1,
      numHeads: 2,
      numKvHeads: 2,
      contextLength: 16,
    },
    ...{ normEps: 1e-6, stopIds: [] },
  };
  const heads = { kvRank: 4, queryRank: 5, nopeDim: 3, ropeDim: 2, valueDim: 3 };
  const indexer = { numHeads: 3, headDim: 4, topK: 2 };
  expect(decoder({ ...config, latent: heads, indexer }).apply).toBeTypeOf("function");
  expect(() => decoder({ ...config, indexer })).toThrow(/decoder: `indexer` is .*expected absent/);
  const { queryRank: _, ...wide } = heads;
  expect(() => decoder({ ...config, latent: wide, indexer })).toThrow(/Fix: give `latent.queryRank` too/);
  const narrow = { ...indexer, headDim: 1 };
  expect(() => decoder({ ...config, latent: heads, indexer: narrow })).toThrow(/`indexer.headDim` is 1/);
  expect(() => decoder({ ...config, latent: heads, indexer: { ...indexer, topk: 2 } as never })).toThrow(
    /topk/,
  );
});
