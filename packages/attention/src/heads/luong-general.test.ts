import {
  cast,
  checkGradient,
  linear,
  mapTensors,
  mul,
  randn,
  sum,
  tensor,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { luongDot } from "./luong-dot.js";
import { luongGeneral } from "./luong-general.js";
import { causal } from "../masks/causal.js";

const size = fc.integer({ min: 1, max: 5 });
const seed = fc.nat(1000);
const inputs = (T: number, S: number, Cq: number, Ck: number, seed: number) =>
  [
    randn([2, T, Cq], { seed }),
    randn([2, S, Ck], { seed: seed + 1 }),
    randn([2, S, 3], { seed: seed + 2 }),
  ] as const;

test("property: with W = I it equals luongDot, bit for bit", () => {
  fc.assert(
    fc.property(size, size, size, seed, (T, S, C, seed) => {
      const eye = Array.from({ length: C * C }, (_, n) => (Math.floor(n / C) === n % C ? 1 : 0));
      const layer = luongGeneral({ queryDim: C, keyDim: C });
      const given = inputs(T, S, C, C, seed);
      const output = layer.apply({ weight: tensor(eye, { shape: [C, C] }) }, ...given);
      expect(output.data).toEqual(luongDot(...given).data);
    }),
  );
});

test("property: projecting queries with Wᵀ instead gives the same", () => {
  fc.assert(
    fc.property(size, size, size, size, seed, (T, S, Cq, Ck, seed) => {
      const layer = luongGeneral({ queryDim: Cq, keyDim: Ck });
      const [params, [query, key, value]] = [layer.init(seed), inputs(T, S, Cq, Ck, seed)];
      const expected = luongDot(linear(query, transpose(params.weight)), key, value).data;
      expect(layer.apply(params, query, key, value).data).toBeAllclose(expected, { rtol: 0, atol: 5e-5 });
    }),
  );
});

test("golden: computed by hand", () => {
  // qᵀ W k = 1 · 2 · k: scores 0 and 2.
  const layer = luongGeneral({ queryDim: 1, keyDim: 1 });
  const value = tensor([[[0], [1]]]);
  const output = layer.apply({ weight: tensor([[2]]) }, tensor([[[1]]]), value, value);
  expect(output.data[0]).toBeCloseTo(Math.exp(2) / (1 + Math.exp(2)), 6);
});

test("gradients of inputs and W equal central differences, under a mask", () => {
  const layer = luongGeneral({ queryDim: 2, keyDim: 3 });
  const [query, key, value] = inputs(2, 3, 2, 3, 1);
  const given = mapTensors({ params: layer.init(1), query, key, value }, (x: Tensor) => cast(x, "float64"));
  const dy = randn([2, 2, 3], { seed: 9, dtype: "float64" });
  checkGradient(
    ({ params, query, key, value }) =>
      sum(mul(layer.apply(params, query, key, value, { mask: causal() }), dy)),
    given,
  );
});

test("widths that do not fit are refused with the fix", () => {
  expect(() => luongGeneral({ queryDim: 1.5, keyDim: 1 })).toThrow(/luongGeneral: `queryDim` is 1.5/);
  const layer = luongGeneral({ queryDim: 2, keyDim: 3 });
  const [query, key, value] = inputs(1, 1, 2, 3, 1);
  expect(() => layer.apply(layer.init(1), key, key, value)).toThrow(
    /`query` has shape .*, expected \[B, T, 2\]/,
  );
  expect(() => layer.apply(layer.init(1), query, query, value)).toThrow(
    /`key` has shape .*, expected \[B, S, 3\]/,
  );
});
