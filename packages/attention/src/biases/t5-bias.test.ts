import { checkGradient, mul, randn, sum, zeros, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import { attention, tracedAttention } from "../attention.js";
import { t5Bias, t5Bucket } from "./t5-bias.js";
import { plainAttention } from "../plain-attention.js";

const settings = fc.record({
  bidirectional: fc.boolean(),
  maxDistance: fc.integer({ min: 17, max: 40 }),
});
const dtype = fc.constantFrom("float32", "float64");

/** Numbers added to each score: [H][T][S]. */
function added(table: Tensor, options: object, T: number, S: number): number[][][] {
  const { dtype } = table;
  const [query, key] = [T, S].map((length) => zeros([1, table.shape[1]!, length, 2], { dtype }));
  const traced = tracedAttention(query!, key!, key!, { bias: t5Bias(table, options) }, ["scores"]);
  return (traced.scores.toNested() as number[][][][])[0]!;
}

test("golden: buckets of T5, as transformers computes them", () => {
  const bucket = (bidirectional: boolean) => (relative: number) =>
    t5Bucket(relative, { bidirectional, numBuckets: 32, maxDistance: 128 });
  expect([-200, -128, -64, -16, -8, -1, 0, 1, 8, 16, 64, 128, 200].map(bucket(true))).toEqual([
    15, 15, 14, 10, 8, 1, 0, 17, 24, 26, 30, 31, 31,
  ]);
  expect([5, 0, -1, -15, -16, -32, -64, -127, -128, -500].map(bucket(false))).toEqual([
    0, 0, 1, 15, 16, 21, 26, 31, 31, 31,
  ]);
});

test("property: the table entry of the bucket is added to a score, also beyond maxDistance", () => {
  fc.assert(
    fc.property(settings, dtype, fc.nat(1000), fc.constantFrom(1, 3, 50), (options, dtype, seed, T) => {
      const S = 50;
      const table = randn([32, 2], { seed, dtype });
      added(table, options, T, S).forEach((rows, head) =>
        rows.forEach((row, t) =>
          row.forEach((score, s) => {
            const bucket = t5Bucket(s - (S - T + t), { ...options, numBuckets: 32 });
            expect(score).toBe(table.data[bucket * 2 + head]);
          }),
        ),
      );
    }),
    { numRuns: runs(40) },
  );
});

test("property: a table of zeros changes nothing, and the bias is constant along diagonals", () => {
  fc.assert(
    fc.property(settings, fc.nat(1000), (options, seed) => {
      const x = randn([1, 2, 5, 3], { seed });
      const bias = t5Bias(zeros([16, 2]), options);
      expect(attention(x, x, x, { bias }).data).toEqual(attention(x, x, x).data);
      const [head] = added(randn([16, 1], { seed }), options, 5, 5);
      for (let t = 1; t < 5; t++) for (let s = 1; s < 5; s++) expect(head![t]![s]).toBe(head![t - 1]![s - 1]);
    }),
  );
});

test("gradients reach the table, in the tiled and in the plain version", () => {
  const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
  const [query, key, value, dy] = [1, 2, 3, 4].map((seed) => make([1, 2, 7, 3], seed)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const keyValues = { key: [key], value: [value], positions: { start: 0 } };
  for (const bidirectional of [true, false]) {
    const table = make([8, 2], 5);
    const options = (table: Tensor) => ({ scale: 1, bias: t5Bias(table, { bidirectional, maxDistance: 6 }) });
    checkGradient((table) => sum(mul(attention(query, key, value, options(table)), dy)), table);
    checkGradient((table) => sum(mul(plainAttention(query, keyValues, options(table)).output, dy)), table);
  }
});

test("tables and distances that do not fit are refused, with the fix", () => {
  for (const shape of [[32], [3, 2], [2, 2], [4, 0], [1, 32, 2]]) {
    expect(() => t5Bias(zeros(shape))).toThrow(
      /t5Bias: `table` has shape .*, expected \[numBuckets, H\], with an even number of at least 4 buckets.\nFix: give/,
    );
  }
  expect(() => t5Bias(zeros([1, 2]), { bidirectional: false })).toThrow(/with 2 or more buckets/);
  expect(() => t5Bias(zeros([32, 2]), { maxDistance: 8 })).toThrow(
    /`maxDistance` is 8, expected an integer number of tokens above 8.*\nFix: leave it out for 128/,
  );
  const x = randn([1, 4, 2, 2], { seed: 1 });
  expect(() => attention(x, x, x, { bias: t5Bias(zeros([32, 2])) })).toThrow(
    /`bias` is "t5Bias\(\[32, 2\], \{ bidirectional: true, maxDistance: 128 \}\)", expected numbers for numHeads = 4/,
  );
});
