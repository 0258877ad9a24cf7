import { checkGradient, mul, ones, randn, sum, tensor, zeros, type Tensor } from "@qkv/tensor";
import { lookup } from "@qkv/attention-contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { attention, attentionWeights, tracedAttention } from "../attention.js";
import { alibi, alibiSlopes } from "./alibi.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { scoreMod } from "../score-mod.js";

const numHeads = fc.integer({ min: 1, max: 64 });
const dtype = fc.constantFrom("float32", "float64");

/** The slopes as the paper's authors compute them: by powers of a start, and by recursion. */
function published(n: number): number[] {
  if (Number.isInteger(Math.log2(n))) {
    const start = 2 ** -(2 ** -(Math.log2(n) - 3));
    return Array.from({ length: n }, (_, i) => start * start ** i);
  }
  const closest = 2 ** Math.floor(Math.log2(n));
  const further = published(2 * closest).filter((_, i) => i % 2 === 0);
  return [...published(closest), ...further.slice(0, n - closest)];
}

test("the slopes for 1 to 64 heads equal the published code", () => {
  for (let n = 1; n <= 64; n++) {
    const slopes = alibiSlopes(n);
    expect(slopes).toBeAllclose(published(n), { rtol: 0, atol: 5e-15 });
  }
});

test("golden: 1, 8 and 12 heads", () => {
  const powers = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => 2 ** -n);
  expect(alibiSlopes(1)).toEqual([1 / 256]);
  expect(alibiSlopes(8)).toEqual(powers);
  expect(alibiSlopes(12)).toEqual([...powers, ...[0.5, 1.5, 2.5, 3.5].map((n) => 2 ** -n)]);
});

test("property: slope · distance is subtracted from each score, on both sides of the query", () => {
  fc.assert(
    fc.property(numHeads, dtype, fc.integer({ min: 1, max: 4 }), fc.nat(3), (H, dtype, T, more) => {
      const S = T + more;
      const [query, key] = [zeros([1, H, T, 2], { dtype }), zeros([1, H, S, 2], { dtype })];
      const { scores } = tracedAttention(query, key, key, { bias: alibi(H) }, ["scores"]);
      const slopes = alibiSlopes(H);
      scores.data.forEach((score, n) => {
        const [s, t, h] = [n % S, Math.floor(n / S) % T, Math.floor(n / (S * T))];
        const expected = -slopes[h]! * Math.abs(more + t - s);
        expect(score).toBeCloseTo(expected, dtype === "float32" ? 5 : 12);
      });
    }),
    { numRuns: 50 },
  );
});

test("property: for equal keys, weights decrease strictly with distance", () => {
  fc.assert(
    fc.property(numHeads, fc.integer({ min: 2, max: 8 }), (H, T) => {
      const x = zeros([1, H, T, 2], { dtype: "float64" });
      const { data } = attentionWeights(x, x, { mask: causal(), bias: alibi(H) });
      for (let h = 0; h < H; h++) {
        const last = data.subarray((h * T + T - 1) * T, (h + 1) * T * T);
        for (let s = 1; s < T; s++) expect(last[s]).toBeGreaterThan(last[s - 1]!);
      }
    }),
    { numRuns: 30 },
  );
});

test("property: under a causal mask, BLOOM's form (plus slope · key position) gives the same weights", () => {
  fc.assert(
    fc.property(numHeads, fc.nat(1000), (H, seed) => {
      const [query, key] = [0, 1].map((n) => randn([1, H, 4, 3], { seed: seed + n, dtype: "float64" }));
      const slopes = tensor(alibiSlopes(H), { dtype: "float64" });
      const bloom = scoreMod((score, at) => score.add(at.key.mul(lookup(slopes, at.head))));
      const of = (bias: typeof bloom) => attentionWeights(query!, key!, { mask: causal(), bias }).data;
      const expected = of(bloom);
      expect(of(alibi(H))).toBeAllclose(expected, { rtol: 0, atol: 5e-15 });
    }),
    { numRuns: 30 },
  );
});

test("a tensor of slopes gives the same as a number of heads, and receives gradients", () => {
  const make = (seed: number) => randn([1, 3, 4, 2], { seed, dtype: "float64" });
  const [query, key, value, dy] = [1, 2, 3, 4].map(make) as [Tensor, Tensor, Tensor, Tensor];
  const slopes = tensor(alibiSlopes(3), { dtype: "float64" });
  const of = (slopes: number | Tensor) =>
    attention(query, key, value, { mask: causal(), bias: alibi(slopes) });
  expect(of(slopes).data).toEqual(of(3).data);
  checkGradient((slopes) => sum(mul(of(slopes), dy)), slopes);
  const keyValues = { key: [key], value: [value], positions: { start: 0 } };
  for (const bias of [alibi(slopes), alibi(3)]) {
    const plain = plainAttention(query, keyValues, { mask: causal(), bias }).output;
    expect(plain.data).toBeAllclose(of(3).data, { rtol: 0, atol: 5e-13 });
  }
});

test("the name is the call that created it, and calls with another number of heads are refused", () => {
  expect([alibi(8).name, alibi(ones([2])).name]).toEqual(["alibi(8)", "alibi([2])"]);
  for (const wrong of [0, 1.5, NaN]) {
    expect(() => alibi(wrong)).toThrow(
      /alibi: `heads` is .*, expected an integer number of heads, 1 or more.\nFix: give the number of query heads/,
    );
  }
  expect(() => alibiSlopes(0)).toThrow(/alibiSlopes: `numHeads` is 0/);
  expect(() => alibi(ones([2, 1]))).toThrow(/alibi: `heads` has shape \[2, 1\], expected \[H\]/);
  const x = randn([1, 4, 2, 2], { seed: 1 });
  for (const option of ["bias", "scoreMod"]) {
    expect(() => attention(x, x, x, { [option]: alibi(8) })).toThrow(
      `attention: \`${option}\` is "alibi(8)", expected numbers for numHeads = 4, and it has them for 8.\nFix: make it for as many heads`,
    );
  }
});

test("`scale` multiplies every slope, and is refused together with a tensor of slopes", () => {
  const x = randn([1, 3, 4, 2], { seed: 1 });
  const own = tensor(alibiSlopes(3).map((slope) => slope * 0.3));
  expect(attention(x, x, x, { bias: alibi(3, { scale: 0.3 }) })).toBeAllclose(
    attention(x, x, x, { bias: alibi(own) }),
    { rtol: 0, atol: 1e-6 },
  );
  expect(() => alibi(own, { scale: 2 })).toThrow(/alibi: `scale` is 2, expected none beside slopes/);
});
