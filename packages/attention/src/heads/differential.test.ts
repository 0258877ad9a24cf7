import {
  cast,
  checkGradient,
  concat,
  full,
  linear,
  mapTensors,
  mul,
  permute,
  randn,
  reshape,
  slice,
  sub,
  sum,
  tensor,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { plainCache } from "@qkv/test-support/attention-cache";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";
import { differential, lambdaInitOfLayer, type DifferentialParams } from "./differential.js";
import { groupedQuery, type AttentionParams } from "./grouped-query.js";
import { outputGate } from "./output-gate.js";
import { perHead } from "./per-head.js";

const heads = { embedDim: 8, numHeads: 4, numKvHeads: 2, headDim: 3 };
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const none = (D: number): DifferentialParams => {
  const vector = zeros([D], { dtype: "float64" });
  return { lambdaQ1: vector, lambdaK1: vector, lambdaQ2: vector, lambdaK2: vector };
};
const size = fc.integer({ min: 1, max: 5 });
const near = { rtol: 1e-10, atol: 1e-12 };

/** The elements of x with each row of D scaled to the root mean square 1, by the definition. */
function unitRows(x: Tensor, eps: number): number[] {
  const D = x.shape.at(-1)!;
  return Array.from(x.data, (y, i) => {
    const row = x.data.slice(Math.floor(i / D) * D, Math.floor(i / D) * D + D);
    const square = Array.from(row, Number).reduce((sum, element) => sum + element * element, 0) / D;
    return Number(y) / Math.sqrt(square + eps);
  });
}

test("property: with λ = 0 the output is that of the first map, over the values of both heads of a pair", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1e6), (T, S, seed) => {
      const value = differential({ lambdaInit: 0, eps: 0 });
      const [query, key, v] = [
        make([2, 4, T, 3], seed),
        make([2, 2, S, 3], seed + 1),
        make([2, 2, S, 3], seed + 2),
      ];
      const paired = value.pairValues({ key: [key], value: [v], positions: { start: 0 } }, 2);
      const found = value.subtract(none(3), attention(query, paired));
      const first = [0, 1].map((half) =>
        attention(slice(query, 1, 0, 2), slice(key, 1, 0, 1), slice(v, 1, half, half + 1)),
      );
      expect(Array.from(found.data)).toEqual(unitRows(concat(first, 3), 0).map((y) => expect.closeTo(y, 9)));
    }),
  );
});

test("property: with two equal maps the output is (1 − λ) times one of them, normalized, so only the sign of 1 − λ matters", () => {
  fc.assert(
    fc.property(size, fc.double({ min: -2, max: 2, noNaN: true }), fc.nat(1e6), (T, logit, seed) => {
      const value = differential({ lambdaInit: 0.5, eps: 0 });
      const [half, halfKey] = [make([1, 1, T, 3], seed), make([1, 1, T, 3], seed + 1)];
      const [query, key] = [half, halfKey].map((x) => concat([x, x], 1));
      const v = make([1, 2, T, 3], seed + 2);
      const paired = value.pairValues({ key: [key!], value: [v], positions: { start: 0 } }, 1);
      const all = attention(query!, paired);
      // λ = e^logit − 1 + ½
      const one = (x: number) => full([1], x, { dtype: "float64" });
      const vectors = { lambdaQ1: one(logit), lambdaK1: one(1), lambdaQ2: one(0), lambdaK2: one(0) };
      const lambda = Math.exp(logit) - 0.5;
      fc.pre(Math.abs(1 - lambda) > 1e-3);
      const first = unitRows(slice(all, 1, 0, 1), 0).map((y) => 0.5 * Math.sign(1 - lambda) * y);
      expect(Array.from(value.subtract(vectors, all).data)).toEqual(first.map((y) => expect.closeTo(y, 8)));
    }),
  );
});

/** DiffLlama's layer, pair by pair: head h and head h + H / 2, each by its own map over both values. */
function pairByPair(params: AttentionParams, x: Tensor, lambdaInit: number) {
  const [B, T] = x.shape as [number, number];
  const { numHeads: H, numKvHeads: Hkv, headDim: D } = heads;
  const rotary = rope({ headDim: D, rotaryDim: 2 });
  const project = (name: "query" | "key" | "value", count: number) => {
    const split = permute(reshape(linear(x, params[name].weight), [B, T, count, D]), [0, 2, 1, 3]);
    return name === "value" ? split : rotary.apply(split, { start: 0 });
  };
  const [query, key, value] = [project("query", H), project("key", Hkv), project("value", Hkv)];
  const { lambdaQ1, lambdaK1, lambdaQ2, lambdaK2 } = params.differential!;
  const dot = (a: Tensor, b: Tensor) => Number(sum(mul(a, b)).data[0]);
  const lambda = Math.exp(dot(lambdaQ1, lambdaK1)) - Math.exp(dot(lambdaQ2, lambdaK2)) + lambdaInit;
  const one = (all: Tensor, head: number) => slice(all, 1, head, head + 1);
  const shared = (head: number) => Math.floor((head * Hkv) / H);
  const pairs = Array.from({ length: H / 2 }, (_, h) => {
    const both = concat([one(value, shared(h)), one(value, shared(h + H / 2))], 3);
    const map = (head: number) =>
      attention(one(query, head), one(key, shared(head)), both, { mask: causal() });
    return sub(map(h), mul(map(h + H / 2), lambda));
  });
  const all = concat(pairs, 1); // [B, H / 2, T, 2 · D]
  const numbers = unitRows(all, 1e-5).map((y) => y * (1 - lambdaInit));
  const rows = permute(tensor(numbers, { shape: all.shape, dtype: "float64" }), [0, 2, 1, 3]);
  return linear(reshape(rows, [B, T, H * D]), params.output.weight);
}

const layerWith = (lambdaInit: number, more: object = {}) =>
  groupedQuery({
    ...heads,
    mask: causal(),
    rope: rope({ headDim: 3, rotaryDim: 2 }),
    differential: differential({ lambdaInit }),
    ...more,
  });

test("a layer equals DiffLlama's, and with another λ it does not", () => {
  const lambdaInit = lambdaInitOfLayer(1);
  const layer = layerWith(lambdaInit);
  const [params, x] = [double(layer.init(4)), make([2, 5, 8], 5)];
  expect(layer.apply(params, x)).toBeAllclose(pairByPair(params, x, lambdaInit), near);
  expect(layer.apply(params, x)).not.toBeAllclose(pairByPair(params, x, lambdaInit + 0.05), { rtol: 1e-3 });
});

test("property: prefill and decoding with a cache give the rows of the full pass", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(1e6), (T, seed) => {
      const layer = layerWith(0.3, { gate: outputGate("headwise") });
      const [params, x, cache] = [double(layer.init(seed)), make([2, T, 8], seed + 1), plainCache()];
      const ends = [1, T - 1, T].filter((end, i, all) => end > (all[i - 1] ?? 0));
      const read = ends.map((end, i) => layer.apply(params, slice(x, 1, ends[i - 1] ?? 0, end), { cache }));
      expect(concat(read, 1)).toBeAllclose(layer.apply(params, x), near);
    }),
  );
});

test("gradients of the input and every weight, also the vectors of λ, equal central differences", () => {
  const layer = layerWith(0.3, { gate: outputGate() });
  const given = { x: make([1, 3, 8], 1), params: double(layer.init(2)) };
  const dy = make([1, 3, 8], 3);
  checkGradient(({ x, params }) => sum(mul(layer.apply(params, x), dy)), given);
});

test("lambdaInitOfLayer rises with depth from 0.2 to 0.8", () => {
  expect([0, 1, 100].map((layer) => lambdaInitOfLayer(layer).toFixed(4))).toEqual([
    "0.2000",
    "0.3555",
    "0.8000",
  ]);
  expect(() => lambdaInitOfLayer(-1)).toThrow(/lambdaInitOfLayer: `layer` is -1/);
});

test("an odd number of heads, missing vectors and unknown options are refused", () => {
  expect(() => groupedQuery({ ...heads, numKvHeads: 1, differential: differential() })).toThrow(
    /groupedQuery: `numKvHeads` is 1, expected an even number, as the layer is differential/,
  );
  expect(() => differential({ lambdaInit: 1 })).toThrow(
    /differential: `lambdaInit` is 1, expected a number from 0/,
  );
  const layer = layerWith(0.3);
  const { differential: vectors, ...params } = layer.init(1);
  const x = randn([1, 3, 8], { seed: 2 });
  expect(() => layer.apply(params, x)).toThrow(/apply: `params.differential` is undefined/);
  const { lambdaK2: _, ...three } = vectors!;
  expect(() => layer.apply({ ...params, differential: three as never }, x)).toThrow(
    /apply: `params.differential.lambdaK2` is undefined/,
  );
  expect(() => perHead({ ...heads, differential: differential() } as never)).toThrow(
    /perHead: `differential`/,
  );
});
