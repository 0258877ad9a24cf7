import { cast, checkGradient, concat, mapTensors, mul, randn, slice, sum, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { plainCache } from "@qkv/test-support/attention-cache";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights } from "../attention.js";
import { groupedQuery } from "../heads/grouped-query.js";
import { perHead, splitHeads } from "../heads/per-head.js";
import { causal } from "../masks/causal.js";
import { llama4Temperature } from "./llama4-temperature.js";
import { rope } from "./rope.js";
import { scaleByPosition } from "./scale-by-position.js";

const heads = { embedDim: 8, numHeads: 4, numKvHeads: 2, mask: causal() };
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const size = fc.integer({ min: 1, max: 6 });

test("property: a factor of 1 changes nothing, and a constant factor multiplies the scale of the layer", () => {
  fc.assert(
    fc.property(size, fc.double({ min: -3, max: 3, noNaN: true }), fc.nat(1e6), (T, factor, seed) => {
      const config = { ...heads, rope: rope({ headDim: 2 }) };
      const [plain, scaled] = [
        groupedQuery({ ...config, scale: factor / Math.sqrt(2) }),
        groupedQuery({ ...config, queryScale: scaleByPosition(() => factor) }),
      ];
      const [params, x] = [double(plain.init(seed)), make([1, T, 8], seed + 1)];
      expect(scaled.apply(params, x)).toBeAllclose(plain.apply(params, x), { rtol: 1e-9, atol: 1e-11 });
      const one = groupedQuery({ ...config, queryScale: scaleByPosition(() => 1) });
      expect(one.apply(params, x).data).toEqual(groupedQuery(config).apply(params, x).data);
    }),
  );
});

test("property: each query is multiplied by the factor of its position, for a start or a list", () => {
  fc.assert(
    fc.property(size, fc.nat(50), fc.nat(1e6), (T, start, seed) => {
      const query = make([2, 3, T, 2], seed);
      const factor = (position: number) => 1 + Math.sin(position);
      const apply = (positions: { start: number } | Int32Array) =>
        Array.from(scaleByPosition(factor).apply(query, positions).data);
      const places = Int32Array.from({ length: 2 * T }, (_, n) => (7 * n) % 11);
      const expected = (place: (b: number, t: number) => number) =>
        Array.from(query.data, (y, i) => {
          const [t, b] = [Math.floor(i / 2) % T, Math.floor(i / (6 * T))];
          return expect.closeTo(Number(y) * factor(place(b, t)), 12) as unknown;
        });
      expect(apply({ start })).toEqual(expected((_, t) => start + t));
      expect(apply(places)).toEqual(expected((b, t) => places[b * T + t]!));
      expect(apply(places.slice(0, T))).toEqual(expected((_, t) => places[t]!));
    }),
  );
});

test("property: decoding token by token gives the same as one call, in every kind of layer", () => {
  const queryScale = scaleByPosition(llama4Temperature({ floorScale: 2, attnScale: 0.5 }));
  const layer = groupedQuery({ ...heads, queryScale });
  const [params, x] = [double(layer.init(1)), make([1, 6, 8], 2)];
  const whole = layer.apply(params, x);
  const cache = plainCache();
  const tokens = Array.from({ length: 6 }, (_, t) => layer.apply(params, slice(x, 1, t, t + 1), { cache }));
  expect(concat(tokens, 1)).toBeAllclose(whole, { rtol: 1e-10, atol: 1e-12 });
  expect(perHead({ ...heads, queryScale }).apply(splitHeads(params, heads), x)).toBeAllclose(whole, {
    rtol: 1e-10,
    atol: 1e-12,
  });
  // Negative control: without the factors the rows of later tokens differ, those before the first step do not.
  const plain = groupedQuery(heads).apply(params, x);
  expect(slice(plain, 1, 0, 1).data).toEqual(slice(whole, 1, 0, 1).data);
  expect(slice(plain, 1, 1, 6)).not.toBeAllclose(slice(whole, 1, 1, 6), { rtol: 1e-3 });
});

test("golden: Llama 4's factor is 1 for the first tokens, then grows in steps with the logarithm", () => {
  const factor = llama4Temperature();
  expect([0, 8190].map(factor)).toEqual([1, 1]);
  expect([8191, 16382, 16383].map(factor)).toEqual([
    1 + 0.1 * Math.log(2),
    1 + 0.1 * Math.log(2),
    1 + 0.1 * Math.log(3),
  ]);
  expect(llama4Temperature({ attnScale: 0 })(1e6)).toBe(1);
});

test("the factor s · ln(n) prevents the largest weight of a row from decreasing with the length", () => {
  const [query, key] = [make([1, 1, 1, 4], 1), make([1, 1, 4096, 4], 2)];
  const sharpest = (factor: (position: number) => number) =>
    Math.max(
      ...attentionWeights(scaleByPosition(factor).apply(query, { start: 4095 }), key).data.map(Number),
    );
  expect(sharpest((position) => Math.log(position + 1))).toBeGreaterThan(10 * sharpest(() => 1));
});

test("the gradient of queries through their factors equals central differences", () => {
  const given = make([1, 2, 3, 2], 1);
  checkGradient(
    (query) => sum(mul(scaleByPosition((p) => 1 + p).apply(query, { start: 2 }), concat([given], 0))),
    make([1, 2, 3, 2], 2),
  );
});

test("factors that are not finite numbers, and values that are not functions, are refused", () => {
  const query = make([1, 1, 2, 2], 1);
  expect(() => scaleByPosition((p) => Math.log(p)).apply(query, { start: 0 })).toThrow(
    /scaleByPosition: `factor` is -Infinity, expected a finite number at position 0/,
  );
  expect(() => scaleByPosition(3 as never)).toThrow(/scaleByPosition: `factor` is 3/);
  expect(() => llama4Temperature({ floorScale: 0 })).toThrow(/llama4Temperature: `floorScale` is 0/);
  expect(() => groupedQuery({ ...heads, queryScale: ((p: number) => p) as never })).toThrow(
    /groupedQuery: `queryScale`/,
  );
});
