import { checkGradient, mul, ones, randn, sum, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, tracedAttention } from "./attention.js";
import { causal } from "./masks/causal.js";

const rates = fc.double({ min: 0, max: 0.9, noNaN: true });
const seed = fc.nat(1000);
const eye = (S: number, heads: number) =>
  tensor(
    Array.from({ length: heads * S * S }, (_, n) => (Math.floor(n / S) % S === n % S ? 1 : 0)),
    { shape: [1, heads, S, S] },
  );

/** With unit vectors as values, the output is the weights that were mixed. */
function mixedWeights(x: Tensor, rate: number, seed: number) {
  const [, H, S] = x.shape as [number, number, number];
  const options = { mask: causal(), dropout: { rate, seed } };
  const { output, weights } = tracedAttention(x, x, eye(S, H), options, ["weights"]);
  return { mixed: output.data, weights: weights.data };
}

test("property: a weight is dropped, or 1 / (1 − rate) times itself", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), rates, seed, (S, rate, seed) => {
      const { mixed, weights } = mixedWeights(randn([1, 2, S, 3], { seed }), rate, seed);
      mixed.forEach((weight, i) => {
        if (weight !== 0) expect(weight * (1 - rate)).toBeCloseTo(weights[i]!, 5);
      });
    }),
  );
});

test("a fraction `rate` of the weights is dropped, different ones in each head and row, and the mean is preserved", () => {
  const rate = 0.3;
  const { mixed } = mixedWeights(mul(ones([1, 4, 64, 1]), 0), rate, 5); // row t holds 1 / (t + 1), t + 1 times
  const seen = [...mixed.keys()].filter((i) => i % 64 <= Math.floor(i / 64) % 64);
  const kept = seen.filter((i) => mixed[i] !== 0);
  expect(kept.length / seen.length).toBeGreaterThan(0.68);
  expect(kept.length / seen.length).toBeLessThan(0.72);
  const total = [...mixed].reduce((a, b) => a + b, 0);
  expect(total / (4 * 64)).toBeGreaterThan(0.93);
  expect(total / (4 * 64)).toBeLessThan(1.07);
  const row = (n: number) => [...mixed.subarray(n * 64, n * 64 + 40)].map((weight) => weight > 0).join();
  expect(new Set([60, 61, 62, 64 + 60, 128 + 60].map(row)).size).toBe(5);
});

test("property: a rate of 0 changes nothing, equal seeds drop the same weights, and other seeds drop others", () => {
  fc.assert(
    fc.property(seed, (seed) => {
      const x = randn([1, 2, 8, 3], { seed });
      const run = (rate: number, seed: number) => attention(x, x, x, { dropout: { rate, seed } }).data;
      expect(run(0, seed)).toEqual(attention(x, x, x).data);
      expect(run(0.5, seed)).toEqual(run(0.5, seed));
      expect(run(0.5, seed)).not.toEqual(run(0.5, seed + 1));
    }),
  );
});

test("decoding drops the same weights as the full pass, since dropout depends only on positions and seed", () => {
  const x = randn([1, 2, 5, 3], { seed: 1 });
  const last = tensor(
    [0, 1].flatMap((h) => [...x.data.slice(h * 15 + 12, h * 15 + 15)]),
    { shape: [1, 2, 1, 3] },
  );
  const options = { mask: causal(), dropout: { rate: 0.5, seed: 3 } };
  const full = attention(x, x, x, options).data;
  const one = attention(last, x, x, options).data;
  expect([...one]).toEqual([0, 1].flatMap((h) => [...full.slice(h * 15 + 12, h * 15 + 15)]));
});

test("the gradient flows only through weights that are not dropped", () => {
  const x = randn([1, 1, 4, 2], { seed: 1, dtype: "float64" });
  const dy = randn([1, 1, 4, 2], { seed: 2, dtype: "float64" });
  checkGradient((x) => sum(mul(attention(x, x, x, { dropout: { rate: 0.4, seed: 7 } }), dy)), x);
});

test("a rate or seed of another kind is refused, with the fix", () => {
  const x = randn([1, 1, 2, 2], { seed: 1 });
  for (const rate of [1, 1 - 2 ** -33, -0.1, NaN]) {
    expect(() => attention(x, x, x, { dropout: { rate, seed: 1 } })).toThrow(
      /attention: `dropout.rate` is .*, expected a number from 0 to 1 − 2⁻³².\nFix: leave `dropout` out/,
    );
  }
  expect(() => attention(x, x, x, { dropout: { rate: 0.1, seed: 0.5 } })).toThrow(
    /`dropout.seed` is 0.5, expected an integer/,
  );
});
