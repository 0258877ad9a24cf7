import fc from "fast-check";
import { expect, test } from "vitest";
import { randn, uniform } from "./randn.js";
import { normalQuantile as publicQuantile } from "./normal-quantile.js";
import { logarithm, normalQuantile } from "./normal.js";
import { float64Bits, normalBits } from "@qkv/test-support/normal-bits";

test("Node gives the same 1,000 normals, bit for bit", () => {
  expect(float64Bits(randn([1000], { seed: 20251, dtype: "float64" }).data)).toEqual(normalBits);
});

test("golden: quantiles of the normal distribution", () => {
  // From tables of the normal distribution; far out, from the inverse of erfc.
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(0.975)).toBeCloseTo(1.95996398454005, 14);
  expect(normalQuantile(0.025)).toBeCloseTo(-1.95996398454005, 14);
  expect(normalQuantile(0.999)).toBeCloseTo(3.09023230616781, 13);
  expect(normalQuantile(1e-20)).toBeCloseTo(-9.26234008979841, 12);
});

test("property: the portable logarithm agrees with Math.log", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
      expect(Math.abs(logarithm(x) - Math.log(x))).toBeLessThanOrEqual(
        4e-16 * Math.max(1, Math.abs(Math.log(x))),
      );
    }),
  );
});

test("normals have the moments and tails of the normal distribution", () => {
  const n = 200_000;
  const x = [...randn([n], { seed: 7, dtype: "float64" }).data];
  const moment = (power: number) => x.reduce((total, value) => total + value ** power, 0) / n;
  // Five standard errors of each estimate.
  const within = (power: number, expected: number, variance: number) =>
    expect(Math.abs(moment(power) - expected)).toBeLessThan(5 * Math.sqrt(variance / n));
  within(1, 0, 1);
  within(2, 1, 2);
  within(3, 0, 15);
  within(4, 3, 96);
  for (const [limit, share] of [
    [1, 0.3173105078629141],
    [2, 0.04550026389635842],
    [3, 0.002699796063260207],
  ] as const) {
    const beyond = x.filter((value) => Math.abs(value) > limit).length / n;
    expect(Math.abs(beyond - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / n));
  }
});

test("a stream can start at any index, and other seeds give other numbers", () => {
  const whole = randn([10], { seed: 3 }).data;
  expect(randn([6], { seed: 3, first: 4 }).data).toEqual(whole.slice(4));
  expect(randn([2, 5], { seed: 3 }).data).toEqual(whole);
  expect(randn([10], { seed: 4 }).data).not.toEqual(whole);
  expect(randn([10], { seed: -1 }).data).not.toEqual(randn([10], { seed: 2 ** 32 - 1 }).data);
  expect(randn([10], { seed: 2 ** 40 }).data).not.toEqual(randn([10], { seed: 0 }).data);
});

test("uniform numbers lie strictly between their limits, with equal density", () => {
  const n = 100_000;
  const x = uniform([n], { seed: 5, low: -2, high: 6, dtype: "float64" }).data;
  const counts = new Float64Array(8);
  for (const value of x) {
    expect(value > -2 && value < 6).toBe(true);
    counts[Math.floor(value + 2)]! += 1;
  }
  counts.forEach((count) => expect(Math.abs(count / n - 1 / 8)).toBeLessThan(5 * Math.sqrt(7 / 64 / n)));
});

test("a seed that is not an integer, and an integer dtype, are refused", () => {
  expect(() => randn([1], { seed: 0.5 })).toThrow(
    "randn: `seed` is 0.5, expected an integer.\nFix: give any integer",
  );
  expect(() => uniform([1], {} as { seed: number })).toThrow(/uniform: `seed` is undefined/);
  expect(() => randn([1], { seed: 1, dtype: "int32" })).toThrow(
    /randn: `dtype` is "int32", expected float32 or float64/,
  );
  expect(() => randn([-1], { seed: 1 })).toThrow(/randn: `shape` is \["-1"\]/);
});

test("normalQuantile refuses values that are not probabilities", () => {
  expect(publicQuantile(0.975)).toBe(normalQuantile(0.975));
  for (const p of [0, 1, -1, NaN, "0.5" as never])
    expect(() => publicQuantile(p)).toThrow(
      /normalQuantile: `p` is .*, expected a finite number, above 0 and below 1/,
    );
});
