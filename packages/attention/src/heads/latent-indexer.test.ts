import {
  cast,
  concat,
  grad,
  layerNorm,
  linear,
  mapTensors,
  max,
  randn,
  reshape,
  rmsNorm,
  slice,
  sum,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import type { Cache } from "@qkv/attention-contract";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineMask } from "../mask.js";
import { causal } from "../masks/causal.js";
import { documents } from "../masks/documents.js";
import { rope } from "../positions/rope.js";
import { latent } from "./latent.js";

const sizes = { embedDim: 6, numHeads: 2, queryRank: 5, kvRank: 4, nopeDim: 3, ropeDim: 2, valueDim: 3 };
const indexRope = rope({ headDim: 4, rotaryDim: 2 });
const layerOf = (topK: number, more: object = {}) =>
  latent({
    ...{ ...sizes, mask: causal(), rope: rope({ headDim: 2, layout: "interleaved" }) },
    ...{ indexer: { numHeads: 3, headDim: 4, topK, rope: indexRope }, ...more },
  });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const close = { rtol: 1e-10, atol: 1e-12 };
const forms = ["naive", "absorbed"] as const;

/** Index scores of each query and key of one sequence `[1, T, C]`, by loops over heads. */
function indexScores(params: ReturnType<ReturnType<typeof layerOf>["init"]>, x: Tensor): number[][] {
  const { query, key, keyNorm, headWeights } = params.indexer!;
  const T = x.shape[1]!;
  const low = rmsNorm(linear(x, params.queryDown!.weight), params.queryNorm!.weight, { eps: 1e-6 });
  const queries = linear(low, query.weight).data; // [1, T, 3 · 4]
  const keys = layerNorm(linear(x, key.weight), keyNorm.weight, keyNorm.bias, { eps: 1e-6 });
  const rotated = (rows: readonly number[], t: number) =>
    indexRope.apply(tensor(rows, { shape: [1, 1, 1, 4], dtype: "float64" }), Int32Array.of(t)).data;
  const weights = linear(x, headWeights.weight).data; // [1, T, 3]
  return Array.from({ length: T }, (_, t) =>
    Array.from({ length: T }, (_, s) => {
      const k = rotated([...keys.data.slice(s * 4, s * 4 + 4)], s);
      return [0, 1, 2].reduce((total, h) => {
        const q = rotated([...queries.slice((t * 3 + h) * 4, (t * 3 + h + 1) * 4)], t);
        const dot = [0, 1, 2, 3].reduce((sum, d) => sum + q[d]! * k[d]!, 0);
        return total + weights[t * 3 + h]! * Math.max(0, dot);
      }, 0);
    }),
  );
}

/** Expects of both forms that a query weighs its best keys, of those up to itself, and no others. */
function expectBestKeys(T: number, topK: number, seed: number): void {
  const layer = layerOf(topK);
  const [params, x] = [double(layer.init(seed)), make([1, T, 6], seed + 1)];
  const scores = indexScores(params, x);
  for (const form of forms) {
    const tensors: Record<string, Tensor> = {};
    layer[form](params, x, { trace: { names: ["weights"], tensors } });
    const weights = tensors["weights"]!.data; // [1, 2, T, T]
    for (let t = 0; t < T; t++) {
      const ranked = scores[t]!.slice(0, t + 1).sort((a, b) => b - a);
      const border = ranked[Math.min(topK, t + 1) - 1]!;
      // Keys with equal scores, all 0, may stand at the border.
      if (ranked.filter((score) => Math.abs(score - border) < 1e-9).length > 1) continue;
      const best = scores[t]!.map((score, s) => s <= t && score >= border - 1e-9);
      for (const h of [0, 1]) {
        const row = weights.slice((h * T + t) * T, (h * T + t + 1) * T);
        expect(Array.from(row, (weight) => weight > 0)).toEqual(best);
      }
    }
  }
}

test("property: only the visible keys with the highest index scores have weights", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 4 }), fc.nat(1e6), expectBestKeys),
  );
});

test("the same holds for a text of several tiles", () => expectBestKeys(150, 5, 3));

test("topK of at least the number of keys gives the layer without an indexer", () => {
  const [layer, plain] = [layerOf(7), layerOf(7, { indexer: undefined })];
  const [params, x] = [double(layer.init(1)), make([2, 7, 6], 2)];
  expect(layer.apply(params, x).data).toEqual(plain.apply(params, x).data);
  expect(layerOf(6).apply(params, x).data).not.toEqual(plain.apply(params, x).data);
});

test("keys are selected among those that the mask of the call allows: per document, and per sequence", () => {
  const layer = layerOf(2);
  const [params, x] = [double(layer.init(1)), make([2, 8, 6], 2)];
  const ids = [
    [0, 0, 0, 1, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 1, 1],
  ];
  const positions = Int32Array.of(0, 1, 2, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 0, 1);
  const starts = [3, 6];
  for (const form of forms) {
    const y = layer[form](params, x, { mask: documents(ids), positions });
    starts.forEach((start, b) => {
      const own = slice(x, 0, b, b + 1);
      for (const [from, to] of [
        [0, start],
        [start, 8],
      ] as const) {
        const alone = layer[form](params, slice(own, 1, from, to));
        expect(slice(slice(y, 0, b, b + 1), 1, from, to), form).toBeAllclose(alone, close);
      }
    });
  }
});

test("the selection does not depend on the order in which keys are stored", () => {
  const layer = layerOf(2);
  const [params, x] = [double(layer.init(1)), make([2, 5, 6], 2)];
  const order = [
    [3, 0, 4, 1, 2],
    [1, 4, 2, 0, 3],
  ];
  const stored = (rows: Tensor) =>
    concat(
      order.map((own, b) =>
        concat(
          own.map((s) => slice(slice(rows, 0, b, b + 1), 2, s, s + 1)),
          2,
        ),
      ),
      0,
    );
  const cache: Pick<Cache, "length" | "update"> = {
    length: 0,
    update: (_, key, value) => ({
      ...{ key: [stored(key)], value: [stored(value)], positions: Int32Array.from(order.flat()) },
    }),
  };
  for (const form of forms) {
    const y = layer[form](params, x, { cache: cache as Cache });
    expect(y, form).toBeAllclose(layer[form](params, x), close);
  }
});

test("the indexer receives no gradient, but the rest of the layer does", () => {
  const layer = layerOf(2);
  const [params, x] = [double(layer.init(1)), make([1, 6, 6], 2)];
  const { indexer, latent: map } = grad((p: typeof params) => sum(layer.apply(p, x)))(params);
  expect(max(reshape(map.weight, [-1])).toNested()).toBeGreaterThan(0);
  for (const { weight } of Object.values(indexer!))
    expect(weight.data.every((value) => value === 0)).toBe(true);
});

test("invalid options of an indexer are refused", () => {
  expect(() => layerOf(2, { queryRank: undefined })).toThrow(
    /latent: `queryRank` is undefined, expected the width of the latent that index queries are made from/,
  );
  expect(() => layerOf(0)).toThrow(/latent: `indexer.topK` is 0/);
  const more = { indexer: { numHeads: 1, headDim: 4, topK: 1, fp8: true } };
  expect(() => layerOf(2, more)).toThrow(/fp8/);
  const layer = layerOf(1);
  const [params, x] = [layer.init(1), randn([1, 3, 6], { seed: 2 })];
  const { indexer: _, ...others } = params;
  expect(() => layer.apply(others, x)).toThrow(/apply: `params.indexer` is undefined/);
  const { key: __, ...rest } = params.indexer!;
  expect(() => layer.apply({ ...params, indexer: rest as never }, x)).toThrow(/`params.key` is undefined/);
  const mask = defineMask({ name: "odd heads", perHead: true, sees: (_q, _k, _b, head) => head === 1 });
  expect(() => layer.apply(params, x, { mask })).toThrow(
    /`mask` is .*expected a mask that is the same for all heads/,
  );
});
