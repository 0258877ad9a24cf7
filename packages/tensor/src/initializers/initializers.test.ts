import fc from "fast-check";
import { expect, test } from "vitest";
import { mean } from "../ops/mean.js";
import { std } from "../ops/std.js";
import { kaimingNormal, kaimingUniform, xavierNormal, xavierUniform } from "./xavier-and-kaiming.js";
import { randint } from "../random/randint.js";
import { truncatedNormal } from "./truncated-normal.js";

test.each([
  ["xavierUniform", xavierUniform, Math.sqrt(2 / (40 * 9 + 60 * 9))],
  ["xavierNormal", xavierNormal, Math.sqrt(2 / (40 * 9 + 60 * 9))],
  ["kaimingUniform", kaimingUniform, Math.sqrt(2 / (40 * 9))],
  ["kaimingNormal", kaimingNormal, Math.sqrt(2 / (40 * 9))],
] as const)("%s has mean 0 and the variance of its formula, and a gain multiplies it", (_, make, spread) => {
  const weight = make([60, 40, 3, 3], { seed: 1, dtype: "float64" });
  expect(Math.abs(mean(weight).data[0]!) / spread).toBeLessThan(0.03);
  expect(std(weight).data[0]! / spread).toBeCloseTo(1, 1);
  expect(weight.shape).toEqual([60, 40, 3, 3]);
  const doubled = make([60, 40, 3, 3], {
    seed: 1,
    dtype: "float64",
    gain: 2 * (make.name.startsWith("k") ? Math.SQRT2 : 1),
  });
  doubled.data.forEach((x, i) => expect(x).toBeCloseTo(2 * weight.data[i]!, 12));
});

test("fanOut divides the variance by the number of outputs, and uniform weights fill their range", () => {
  const weight = kaimingNormal([100, 400], { seed: 1, mode: "fanOut" });
  expect(std(weight).data[0]! / Math.sqrt(2 / 100)).toBeCloseTo(1, 1);
  // The largest number of an even spread is √3 deviations away.
  const limit = Math.sqrt(3 * (2 / 400));
  const { data } = kaimingUniform([100, 400], { seed: 1 });
  expect(Math.max(...data)).toBeLessThanOrEqual(limit);
  expect(Math.max(...data)).toBeGreaterThan(0.99 * limit);
});

test("property: integers lie between their limits, with equal frequency", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -5, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(1000),
      (low, span, seed) => {
        const { data, dtype } = randint([500], { seed, low, high: low + span });
        expect(dtype).toBe("int32");
        const counts = Array.from({ length: span }, (_, i) => data.filter((x) => x === low + i).length);
        expect(counts.reduce((a, b) => a + b, 0)).toBe(500);
        for (const count of counts) expect(count / (500 / span)).toBeGreaterThan(0.5);
      },
    ),
    { numRuns: 30 },
  );
});

test("property: a truncated normal lies between its limits, with the mean and variance of the truncated distribution", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0.1, max: 3, noNaN: true }), (seed, std_) => {
      const x = truncatedNormal([4000], { seed, mean: 5, std: std_, dtype: "float64" });
      expect(Math.max(...x.data)).toBeLessThanOrEqual(5 + 2 * std_);
      expect(Math.min(...x.data)).toBeGreaterThanOrEqual(5 - 2 * std_);
      expect(Math.abs(mean(x).data[0]! - 5) / std_).toBeLessThan(0.08);
      // √(1 − 4 φ(2) / (2 Φ(2) − 1)), with the density φ and the distribution Φ.
      expect(Math.abs(std(x).data[0]! / std_ - 0.8796)).toBeLessThan(0.05);
    }),
    { numRuns: 20 },
  );
  const { data } = truncatedNormal([1000], { seed: 1, low: 0, high: 10 });
  expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
});

test("invalid limits, shapes and modes are refused, with the fix", () => {
  expect(() => randint([2], { seed: 1, low: 3, high: 3 })).toThrow(
    /`high` is 3, expected an integer, above 3/,
  );
  expect(() => randint([2], { seed: 1 } as never)).toThrow(/`high` is undefined/);
  expect(() => truncatedNormal([2], { seed: 1, low: 1, high: 0 })).toThrow(/`high` is 0/);
  expect(() => truncatedNormal([2], { seed: 1, low: 40, high: 41 })).toThrow(
    /^truncatedNormal: `low` is 40.*\nFix: take limits nearer/,
  );
  expect(() => truncatedNormal([2], { seed: 1, std: 0 })).toThrow(/`std` is 0/);
  expect(() => xavierNormal([2], { seed: 1 })).toThrow(
    /`shape` is \[2\], expected \[out, in, …\].\nFix: vectors/,
  );
  expect(() => kaimingNormal([2, 2], { seed: 1, mode: "fan" as never })).toThrow(/`mode` is "fan"/);
  expect(() => xavierUniform([2, 2], { seed: 1, mode: "fanIn" } as never)).toThrow(/`mode` is "fanIn"/);
});
