import {
  abs,
  add,
  checkGradient,
  concat,
  linear,
  mapTensors,
  max,
  cast,
  mul,
  randn,
  slice,
  sub,
  sum,
  tensor,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import type { Cache, KeyValues } from "@qkv/attention-contract";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { documents } from "../masks/documents.js";
import { rope } from "../positions/rope.js";
import { latent } from "./latent.js";

const sizes = { embedDim: 6, numHeads: 2, kvRank: 4, nopeDim: 3, ropeDim: 2, valueDim: 3 };
const layerOf = (more: object = {}) =>
  latent({ ...sizes, mask: causal(), rope: rope({ headDim: 2, layout: "interleaved" }), ...more });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

/** A cache that keeps what it gets in one list, and holds no states. */
function listCache(): Cache {
  const held: { key?: Tensor; value?: Tensor } = {};
  const cache: Pick<Cache, "length" | "update"> = {
    get length() {
      return held.key?.shape[2] ?? 0;
    },
    update(_layer, key, value) {
      held.key = held.key ? concat([held.key, key], 2) : key;
      held.value = held.value ? concat([held.value, value], 2) : value;
      return { key: [held.key], value: [held.value], positions: { start: 0 } };
    },
  };
  return cache as Cache;
}

test("property: the naive and the absorbed form give the same output", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.option(fc.integer({ min: 1, max: 5 })),
      fc.nat(1e6),
      (T, rank, seed) => {
        const layer = layerOf(rank === null ? {} : { queryRank: rank });
        const [params, x] = [double(layer.init(seed)), make([2, T, 6], seed + 1)];
        expect(layer.absorbed(params, x)).toBeAllclose(layer.naive(params, x), { rtol: 1e-10, atol: 1e-12 });
      },
    ),
  );
});

test("property: prefill and decoding with a cache give the rows of the full pass, in both forms", () => {
  const layer = layerOf({ queryRank: 3 });
  const [params, x] = [double(layer.init(1)), make([2, 5, 6], 2)];
  const whole = layer.apply(params, x);
  for (const form of ["naive", "absorbed", "apply"] as const) {
    const cache = listCache();
    const parts = [
      [0, 3],
      [3, 4],
      [4, 5],
    ].map(([a, b]) => layer[form](params, slice(x, 1, a!, b), { cache }));
    expect(concat(parts, 1), form).toBeAllclose(whole, { rtol: 1e-10, atol: 1e-12 });
    // kvRank + ropeDim numbers a token, and its value is the first kvRank of them.
    const held = cache.update(
      0,
      zeros([2, 1, 0, 6], { dtype: "float64" }),
      zeros([2, 1, 0, 4], { dtype: "float64" }),
    );
    expect((held.key[0] as Tensor).shape).toEqual([2, 1, 5, 6]);
    expect(slice(held.key[0] as Tensor, 3, 0, 4).data).toEqual((held.value[0] as Tensor).data);
  }
});

test("both forms, and an indexer, can read a cache of 16 bits", () => {
  for (const indexer of [undefined, { numHeads: 2, headDim: 4, topK: 2 }]) {
    const layer = layerOf({ queryRank: 3, indexer });
    const [params, x] = [layer.init(1), randn([2, 5, 6], { seed: 2 })];
    const whole = layer.apply(params, x);
    for (const form of ["naive", "absorbed"] as const) {
      const inner = listCache();
      const half = (segments: KeyValues["key"]) => segments.map((one) => cast(one as Tensor, "float16"));
      const cache: Pick<Cache, "length" | "update"> = {
        get length() {
          return inner.length;
        },
        update(...given) {
          const { key, value, positions } = inner.update(...given);
          return { key: half(key), value: half(value), positions };
        },
      };
      const parts = [slice(x, 1, 0, 3), slice(x, 1, 3)].map((part) =>
        layer[form](params, part, { cache: cache as Cache }),
      );
      const own = concat(parts, 1);
      expect(own, form).toBeAllclose(whole, { rtol: 5e-3, atol: 5e-3 });
      expect(own.data).not.toEqual(whole.data);
    }
  }
});

test("property: with identity projections and a latent as wide as the heads, it equals attention over the normalized latents", () => {
  const eye = (n: number) =>
    tensor(
      Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
      { shape: [n, n], dtype: "float64" },
    );
  const layer = latent({
    embedDim: 4,
    numHeads: 1,
    kvRank: 4,
    nopeDim: 4,
    ropeDim: 2,
    valueDim: 4,
    mask: causal(),
    scale: 0.5,
  });
  const padRows = (weight: Tensor, rows: number) => ({
    weight: concat([weight, zeros([rows, 4], { dtype: "float64" })], 0),
  });
  const params = {
    query: padRows(eye(4), 2),
    latent: padRows(eye(4), 2),
    latentNorm: { weight: tensor([1, 1, 1, 1], { dtype: "float64" }) },
    key: { weight: eye(4) },
    value: { weight: eye(4) },
    output: { weight: eye(4) },
  };
  // Rows with a root mean square of 1: the norm leaves them.
  const x = tensor([1, 1, -1, 1, 1, -1, 1, 1, -1, -1, 1, -1], { shape: [1, 3, 4], dtype: "float64" });
  const heads = tensor(x.data, { shape: [1, 1, 3, 4], dtype: "float64" });
  const expected = attention(heads, heads, heads, { mask: causal(), scale: 0.5 });
  expect([...layer.naive(params, x).data]).toEqual([...expected.data].map((y) => expect.closeTo(y, 5)));
});

test("gradients of the input and every weight equal central differences, in both forms", () => {
  const layer = layerOf({ queryRank: 3 });
  const given = { x: make([1, 3, 6], 1), params: double(layer.init(2)) };
  const dy = make([1, 3, 6], 3);
  for (const form of ["naive", "absorbed"] as const)
    checkGradient(({ x, params }) => sum(mul(layer[form](params, x), dy)), given);
});

test("the mask of a call is combined with the causal mask, and the trace contains the inputs of attention", () => {
  const layer = layerOf();
  const [params, x] = [double(layer.init(1)), make([1, 5, 6], 2)];
  const mask = documents([0, 0, 1, 1, 1]);
  for (const form of ["naive", "absorbed"] as const) {
    const tensors: Record<string, Tensor> = {};
    const trace = { names: ["weights", "heads"] as const, tensors };
    const y = layer[form](params, x, { mask, trace, positions: Int32Array.of(0, 1, 0, 1, 2) });
    const alone = layer[form](params, slice(x, 1, 2));
    expect(slice(y, 1, 2), form).toBeAllclose(alone, { rtol: 1e-10, atol: 1e-12 });
    expect(tensors["weights"]!.shape).toEqual([1, 2, 5, 5]);
    expect(tensors["heads"]!.shape).toEqual([1, 2, 5, 3]);
  }
});

test("with `bias`, the projections from x and the output projection have biases", () => {
  const layer = layerOf({ bias: true, queryRank: 3 });
  const params = layer.init(1);
  const has = Object.entries(params).filter(([, map]) => "bias" in map);
  expect(has.map(([name]) => name).sort()).toEqual(["latent", "output", "queryDown"]);
  const x = make([1, 3, 6], 2);
  const shifted = mapTensors(double(params), (t: Tensor, path) => (path.endsWith(".bias") ? add(t, 0.5) : t));
  const y = layer.naive(shifted, x);
  expect(layer.absorbed(shifted, x)).toBeAllclose(y, { rtol: 1e-10, atol: 1e-12 });
  for (const name of ["latent", "output", "queryDown"] as const) {
    const without = { ...shifted, [name]: { weight: shifted[name]!.weight } };
    expect(max(abs(sub(layer.naive(without, x), y))).data[0], name).toBeGreaterThan(1e-3);
  }
});

test("weights of another kind are used through the option `linear`, also with a cache", () => {
  type Halved = { half: Tensor };
  const isHalved = (weight: unknown): weight is Halved => "half" in (weight as object);
  const own: typeof linear = (x, weight, bias) =>
    linear(x, isHalved(weight) ? mul(weight.half, 2) : weight, bias);
  const [layer, plain] = [layerOf({ linear: own }), layerOf()];
  const [params, x] = [double(plain.init(1)), make([1, 4, 6], 2)];
  const halved = (map: { weight: Tensor }) => ({ weight: { half: mul(map.weight, 0.5) } as never });
  const { query, latent: down, key, value, output } = params;
  const maps = { query, latent: down, key, value, output };
  const names = Object.keys(maps) as (keyof typeof maps)[];
  const others = { ...params, ...Object.fromEntries(names.map((name) => [name, halved(maps[name])])) };
  const cache = listCache();
  const parts = [slice(x, 1, 0, 3), slice(x, 1, 3)].map((part) => layer.apply(others, part, { cache }));
  expect(concat(parts, 1)).toBeAllclose(plain.apply(params, x), { rtol: 1e-10, atol: 1e-12 });
});

test("invalid sizes, missing weights and a cache of unrotated keys are refused", () => {
  expect(() => latent({ ...sizes, kvRank: 0 })).toThrow(/latent: `kvRank` is 0, expected an integer/);
  const layer = layerOf();
  const params = layer.init(1);
  const x = zeros([1, 2, 6]);
  expect(() => layer.apply({ ...params, value: undefined as never }, x)).toThrow(
    /apply: `params.value` is undefined/,
  );
  const cache: Cache = { ...listCache(), length: 0, unrotatedKeys: true };
  expect(() => layer.apply(params, x, { cache })).toThrow(/`cache` is "a cache of unrotated keys"/);
});
