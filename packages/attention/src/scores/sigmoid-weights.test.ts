import { checkGradient, concat, mul, randn, slice, sum, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { causal } from "../masks/causal.js";
import { padding } from "../masks/padding.js";
import { plainAttention } from "../plain-attention.js";
import { sigmoidWeights } from "./sigmoid-weights.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const forms = [sigmoidWeights()];

test("property: a key changes only its own weight, and a masked key adds nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(1e6), (S, seed) => {
      const [q, k, v] = [
        make([1, 2, 2, 4], seed),
        make([1, 1, S, 4], seed + 1),
        make([1, 1, S, 3], seed + 2),
      ];
      const whole = plainAttention(q, k, v, { forms });
      const fewer = plainAttention(q, slice(k, 2, 0, S - 1), slice(v, 2, 0, S - 1), { forms });
      expect(slice(whole.weights, 3, 0, S - 1)).toBeAllclose(fewer.weights, { rtol: 1e-12 });
      const masked = plainAttention(q, k, v, { forms, mask: padding([S - 1]) });
      expect(masked.output).toBeAllclose(fewer.output, { rtol: 1e-12 });
    }),
  );
});

test("property: the order of keys does not matter", () => {
  const [q, k] = [make([1, 1, 2, 4], 1), make([1, 1, 4, 4], 2)];
  const swapped = concat([slice(k, 2, 2), slice(k, 2, 0, 2)], 2);
  const [a, b] = [plainAttention(q, k, k, { forms }), plainAttention(q, swapped, swapped, { forms })];
  expect(a.output).toBeAllclose(b.output, { rtol: 1e-12 });
});

test("gradients of queries, keys and values equal central differences", () => {
  const given = { q: make([1, 2, 3, 2], 1), k: make([1, 2, 3, 2], 2), v: make([1, 2, 3, 2], 3) };
  const dy = make([1, 2, 3, 2], 4);
  const options = { mask: causal(), forms };
  checkGradient(({ q, k, v }) => sum(mul(plainAttention(q, k, v, options).output, dy)), given);
});

test("sinks are refused, since there is no softmax denominator", () => {
  const x = zeros([1, 2, 3, 4]);
  expect(() => plainAttention(x, x, x, { forms, sinks: zeros([2]) })).toThrow(
    /`sinks` is "given together with sigmoidWeights\(\)", expected none/,
  );
});
