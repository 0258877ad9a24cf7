import { checkGradient, mul, randn, sum, tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { topKScores } from "./top-k-scores.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const size = fc.integer({ min: 1, max: 7 });

test("property: min(k, visible keys) keys have weights, and k of at least the number of keys changes nothing", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1e6), (T, k, seed) => {
      const x = make([2, 2, T, 4], seed);
      const { weights, output } = plainAttention(x, x, x, { mask: causal(), forms: [topKScores(k)] });
      for (let row = 0; row < weights.data.length / T; row++) {
        const positive = weights.data.slice(row * T, row * T + T).filter((weight) => weight > 0).length;
        expect(positive).toBe(Math.min(k, (row % T) + 1));
      }
      if (k >= T)
        expect(output).toBeAllclose(attention(x, x, x, { mask: causal() }), { rtol: 1e-12, atol: 1e-12 });
    }),
  );
});

test("golden: masked keys are never selected", () => {
  const query = tensor([[[[1], [1]]]]);
  const key = tensor([[[[1], [9]]]]);
  const { weights } = plainAttention(query, key, key, { mask: causal(), forms: [topKScores(1)] });
  expect(weights.toNested()).toEqual([
    [
      [
        [1, 0],
        [0, 1],
      ],
    ],
  ]);
});

test("gradients of queries, keys and values equal central differences", () => {
  const given = { q: make([1, 2, 4, 2], 1), k: make([1, 2, 4, 2], 2), v: make([1, 2, 4, 2], 3) };
  const dy = make([1, 2, 4, 2], 4);
  const options = { mask: causal(), forms: [topKScores(2)] };
  checkGradient(({ q, k, v }) => sum(mul(plainAttention(q, k, v, options).output, dy)), given);
});

test("k = 0 is refused", () => {
  expect(() => topKScores(0)).toThrow(/topKScores: `k` is 0, expected an integer number of keys/);
});
