import { checkGradient, div, mul, norm, randn, sum, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { l2Distance } from "./l2-distance.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const unit = (x: Tensor) => div(x, norm(x, { axis: -1, keepDims: true }));

test("property: with unit vectors it is cosine attention with twice the scale", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1e6), (T, seed) => {
      const [q, k] = [unit(make([1, 2, T, 4], seed)), unit(make([1, 1, T, 4], seed + 1))];
      const v = make([1, 1, T, 3], seed + 2);
      const { output } = plainAttention(q, k, v, { mask: causal(), scale: 0.7, forms: [l2Distance()] });
      expect(output).toBeAllclose(attention(q, k, v, { mask: causal(), scale: 1.4 }), {
        rtol: 1e-10,
        atol: 1e-12,
      });
    }),
  );
});

test("property: scores are at most 0, and a key equal to the query has the score 0", () => {
  const x = make([1, 2, 5, 3], 1);
  const { data } = plainAttention(x, x, x, { forms: [l2Distance()] }).scores;
  data.forEach((score, i) => {
    expect(score).toBeLessThan(1e-12);
    if (Math.floor(i / 5) % 5 === i % 5) expect(score).toBeCloseTo(0, 12);
  });
});

test("gradients of queries, keys and values equal central differences", () => {
  const given = { q: make([1, 2, 3, 2], 1), k: make([1, 2, 3, 2], 2), v: make([1, 2, 3, 2], 3) };
  const dy = make([1, 2, 3, 2], 4);
  checkGradient(
    ({ q, k, v }) => sum(mul(plainAttention(q, k, v, { mask: causal(), forms: [l2Distance()] }).output, dy)),
    given,
  );
});
