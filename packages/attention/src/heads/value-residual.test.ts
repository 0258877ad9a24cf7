import {
  add,
  cast,
  checkGradient,
  concat,
  full,
  mapTensors,
  mul,
  randn,
  slice,
  sum,
  type Tensor,
} from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { plainCache } from "@qkv/test-support/attention-cache";
import fc from "fast-check";
import { expect, test } from "vitest";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";
import { groupedQuery } from "./grouped-query.js";
import { valueResidual } from "./value-residual.js";

const heads = { embedDim: 8, numHeads: 4, numKvHeads: 2, mask: causal(), rope: rope({ headDim: 2 }) };
const [plain, mixed] = [groupedQuery(heads), groupedQuery({ ...heads, valueResidual: valueResidual() })];
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const size = fc.integer({ min: 1, max: 5 });
const near = { rtol: 1e-10, atol: 1e-12 };

test("property: logits of +∞ give the layer's own values, −∞ those of the first layer, 0 the mean of both", () => {
  fc.assert(
    fc.property(size, fc.nat(1e6), (T, seed) => {
      const [own, first] = [make([2, 3, T, 4], seed), make([2, 3, T, 4], seed + 1)];
      const at = (logit: number) =>
        valueResidual().mix(own, first, full([2, T, 3], logit, { dtype: "float64" }));
      expect(at(Infinity)).toBeAllclose(own, near);
      expect(at(-Infinity)).toBeAllclose(first, near);
      expect(at(0)).toBeAllclose(mul(add(own, first), 0.5), near);
    }),
  );
});

test("property: the share depends on the token and the head", () => {
  fc.assert(
    fc.property(size, fc.nat(1e6), (T, seed) => {
      const [own, first] = [make([2, 3, T, 4], seed), make([2, 3, T, 4], seed + 1)];
      const logits = make([2, T, 3], seed + 2);
      valueResidual()
        .mix(own, first, logits)
        .data.forEach((y, i) => {
          const [t, h, b] = [Math.floor(i / 4) % T, Math.floor(i / (4 * T)) % 3, Math.floor(i / (12 * T))];
          const share = 1 / (1 + Math.exp(-logits.data[(b * T + t) * 3 + h]!));
          expect(y).toBeCloseTo(first.data[i]! + share * (own.data[i]! - first.data[i]!), 12);
        });
    }),
  );
});

test("property: if the first values equal its own, a layer is plain attention, whatever the shares", () => {
  fc.assert(
    fc.property(size, fc.nat(1e6), (T, seed) => {
      const [init, x] = [double(mixed.init(seed)), make([2, T, 8], seed + 1)];
      const params = { ...init, valueMix: { weight: make([2, 8], seed + 2) } };
      const own = mixed.values(params, x);
      expect(mixed.apply(params, x, { firstValues: own })).toBeAllclose(plain.apply(params, x), near);
      // Negative control: values of another layer are seen.
      const other = plain.values(double(plain.init(seed + 3)), x);
      expect(mixed.apply(params, x, { firstValues: other })).not.toBeAllclose(plain.apply(params, x), {
        rtol: 1e-3,
      });
    }),
  );
});

test("property: prefill and decoding with a cache give the rows of the full pass", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(1e6), (T, seed) => {
      const [first, params] = [double(plain.init(seed)), double(mixed.init(seed + 1))];
      const [x, cache] = [make([2, T, 8], seed + 2), plainCache()];
      const run = (part: Tensor, more: object = {}) =>
        mixed.apply(params, part, { firstValues: plain.values(first, part), ...more });
      const parts = [slice(x, 1, 0, T - 1), slice(x, 1, T - 1, T)].map((part) => run(part, { cache }));
      expect(concat(parts, 1)).toBeAllclose(run(x), near);
    }),
  );
});

test("gradients of the input, the first values and every weight equal central differences", () => {
  const params = { ...double(mixed.init(2)), valueMix: { weight: make([2, 8], 4) } };
  const given = { x: make([1, 3, 8], 1), first: make([1, 2, 3, 2], 5), params };
  const dy = make([1, 3, 8], 3);
  checkGradient(
    ({ x, first, params }) => sum(mul(mixed.apply(params, x, { firstValues: first }), dy)),
    given,
  );
});

test("missing first values, first values in a layer without the option, and those of other tokens are refused", () => {
  const x = randn([1, 3, 8], { seed: 1 });
  const params = mixed.init(1);
  const first = plain.values(plain.init(2), x);
  expect(() => mixed.apply(params, x)).toThrow(
    /apply: `firstValues` is undefined, expected values of the first layer for x.*\nFix: give `first.values/,
  );
  expect(() => plain.apply(params, x, { firstValues: first })).toThrow(
    /apply: `firstValues` is .* expected no such option/,
  );
  expect(() => mixed.apply(params, x, { firstValues: slice(first, 2, 0, 2) })).toThrow(
    /valueResidual: `firstValues` has shape \[1, 2, 2, 2\], expected \[1, 2, 3, 2\]/,
  );
  expect(() => mixed.apply(params, x, { firstValues: first, context: x })).toThrow(/beside a context/);
});
