import { checkGradient, mul, randn, sum, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { parallax } from "./parallax.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("property: a correction of zeros gives softmax attention, and with any correction rows sum to 1", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1e6), (T, seed) => {
      const [q, k] = [make([1, 2, T, 4], seed), make([1, 1, T, 4], seed + 1)];
      const none = plainAttention(q, k, k, {
        mask: causal(),
        forms: [parallax(zeros([1, 2, T, 4], { dtype: "float64" }))],
      });
      expect(none.output).toBeAllclose(attention(q, k, k, { mask: causal() }), { rtol: 1e-12, atol: 1e-12 });
      const ones = zeros([1, 1, T, 1], { dtype: "float64" });
      ones.data.fill(1);
      const { output } = plainAttention(q, k, ones, {
        mask: causal(),
        forms: [parallax(make([1, 2, T, 4], seed + 2))],
      });
      for (const total of output.data) expect(total).toBeCloseTo(1, 10);
    }),
  );
});

test("gradients of the correction, queries, keys and values equal central differences", () => {
  const shape = [1, 2, 3, 2];
  const given = { q: make(shape, 1), k: make(shape, 2), v: make(shape, 3), r: make(shape, 4) };
  const dy = make(shape, 5);
  checkGradient(
    ({ q, k, v, r }) =>
      sum(mul(plainAttention(q, k, v, { mask: causal(), forms: [parallax(r)] }).output, dy)),
    given,
  );
});

test("a correction of another shape is refused", () => {
  const x = zeros([1, 2, 3, 4]);
  expect(() => plainAttention(x, x, x, { forms: [parallax(zeros([1, 2, 3, 5]))] })).toThrow(
    /parallax: `correction` has shape \[1, 2, 3, 5\], expected \[B, H, T, D\] = \[1, 2, 3, 4\]/,
  );
});
