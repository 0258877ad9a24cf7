import { checkGradient, mul, randn, sigmoid, slice, sum, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { path } from "./path.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("property: β = 0 gives softmax attention", () => {
  const [q, k] = [make([1, 2, 3, 4], 1), make([1, 1, 5, 4], 2)];
  const forms = [path({ direction: make([1, 2, 5, 4], 3), beta: zeros([1, 2, 5], { dtype: "float64" }) })];
  expect(plainAttention(q, k, k, { mask: causal(), forms }).output).toBeAllclose(
    attention(q, k, k, { mask: causal() }),
    {
      rtol: 1e-12,
    },
  );
});

test("property: a score equals the product of the maps in between, computed by loops", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(1e6), (T, seed) => {
      const D = 3;
      const [q, k, w] = [
        make([1, 1, T, D], seed),
        make([1, 1, T, D], seed + 1),
        make([1, 1, T, D], seed + 2),
      ];
      const beta = sigmoid(make([1, 1, T], seed + 3));
      const { scores } = plainAttention(q, k, k, {
        mask: causal(),
        scale: 1,
        forms: [path({ direction: w, beta })],
      });
      const row = (x: typeof q, i: number) => [...x.data.slice(i * D, i * D + D)];
      const dot = (a: number[], b: number[]) => a.reduce((total, x, d) => total + x * b[d]!, 0);
      for (let i = 0; i < T; i++) {
        let passing = row(q, i);
        for (let j = i; j >= 0; j--) {
          expect(scores.data[i * T + j]).toBeCloseTo(dot(passing, row(k, j)), 10);
          const direction = row(w, j);
          const along = beta.data[j]! * dot(passing, direction);
          passing = passing.map((x, d) => x - along * direction[d]!);
        }
      }
    }),
  );
});

test("property: a call with only the last queries gives the last rows", () => {
  const x = make([1, 2, 5, 3], 1);
  const forms = [path({ direction: make([1, 2, 5, 3], 2), beta: sigmoid(make([1, 2, 5], 3)) })];
  const options = { mask: causal(), forms };
  const whole = plainAttention(x, x, x, options).output;
  expect(plainAttention(slice(x, 2, 4), x, x, options).output).toBeAllclose(slice(whole, 2, 4), {
    rtol: 1e-12,
  });
});

test("gradients of directions, β, queries, keys and values equal central differences", () => {
  const shape = [1, 2, 3, 2];
  const given = { q: make(shape, 1), k: make(shape, 2), direction: make(shape, 3), beta: make([1, 2, 3], 4) };
  const dy = make(shape, 5);
  checkGradient(({ q, k, direction, beta }) => {
    const forms = [path({ direction, beta })];
    return sum(mul(plainAttention(q, k, k, { mask: causal(), forms }).output, dy));
  }, given);
});

test("a beta for another number of positions is refused", () => {
  const x = zeros([1, 2, 3, 4]);
  const forms = [path({ direction: x, beta: zeros([1, 2, 2]) })];
  expect(() => plainAttention(x, x, x, { forms })).toThrow(
    /path: `beta` has shape \[1, 2, 2\], expected \[B, H, S\]/,
  );
});
