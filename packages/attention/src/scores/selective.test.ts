import { ones, checkGradient, mul, neg, abs, randn, slice, sum, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { selective } from "./selective.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const options = { mask: causal(), forms: [selective()] };

test("property: if head 0 has no positive scores, nothing is masked", () => {
  const q = make([1, 2, 5, 4], 1);
  // Keys of head 0 point away from every query of it.
  const [query, key] = [abs(q), neg(abs(make([1, 2, 5, 4], 2)))];
  expect(plainAttention(query, key, q, options).output).toBeAllclose(
    attention(query, key, q, { mask: causal() }),
    {
      rtol: 1e-12,
    },
  );
});

test("property: outputs do not depend on later tokens", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 7 }), fc.nat(1e6), (T, seed) => {
      const x = make([1, 2, T, 4], seed);
      const first = slice(x, 2, 0, T - 1);
      const whole = plainAttention(x, x, x, options).output;
      expect(slice(whole, 2, 0, T - 1)).toBeAllclose(plainAttention(first, first, first, options).output, {
        rtol: 1e-12,
      });
    }),
  );
});

test("property: scores only decrease with later queries; those of the first key and of a query's own key do not change", () => {
  const x = make([1, 2, 6, 4], 3);
  const plain = plainAttention(x, x, x, { mask: causal() }).scores.data;
  plainAttention(x, x, x, options).scores.data.forEach((score, i) => {
    const [query, key] = [Math.floor(i / 6) % 6, i % 6];
    if (key > query) return;
    expect(score).toBeLessThanOrEqual(plain[i]!);
    if (key === 0 || key === query) expect(score).toBe(plain[i]);
  });
});

test("golden: a key that a query masks is masked for later queries", () => {
  // Every score is 2. Query 2 masks key 1 by 2; its own row still sees it, query 3 does not.
  const x = ones([1, 1, 4, 4]);
  const { scores } = plainAttention(x, x, x, options);
  expect([...scores.data.slice(8, 11)]).toEqual([2, 2, 2]);
  expect([...scores.data.slice(12)]).toEqual([2, 0, 2, 2]);
});

test("gradients of queries, keys and values equal central differences", () => {
  const given = { q: make([1, 2, 4, 2], 1), k: make([1, 2, 4, 2], 2), v: make([1, 2, 4, 2], 3) };
  const dy = make([1, 2, 4, 2], 4);
  checkGradient(({ q, k, v }) => sum(mul(plainAttention(q, k, v, options).output, dy)), given);
});

test("a call with only some of the queries is refused", () => {
  const [q, k] = [zeros([1, 1, 1, 2]), zeros([1, 1, 3, 2])];
  expect(() => plainAttention(q, k, k, options)).toThrow(
    'selective: `query` is "of 1 tokens beside 3 keys", expected as many queries as keys: what earlier queries masked is summed.\n' +
      "Fix: call it without `cache`, with the whole sequence: a cache does not store the accumulated mask.",
  );
});
