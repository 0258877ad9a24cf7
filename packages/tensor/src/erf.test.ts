import fc from "fast-check";
import { expect, test } from "vitest";
import { erf, erfc } from "./erf.js";

/** The Maclaurin series in integers of 10^-60, exact far beyond float64. */
function seriesErf(x: number): number {
  const one = 10n ** 60n;
  // Scaled by 2^60 first: every float64 between 2^-8 and 6 is then an integer.
  const z = (BigInt(x * 2 ** 60) * one) / 2n ** 60n;
  let [term, total] = [z, z];
  for (let n = 1n; term !== 0n; n++) {
    term = (-term * z * z) / (one * one) / n;
    total += term / (2n * n + 1n);
  }
  const twoOverRootPi = 1128379167095512573896158903121545171688101258657997713688171n; // 2/√π · 10^60
  return Number((total * twoOverRootPi) / 10n ** 102n) / 1e18;
}

test("property: erf equals its series to a few units in the last place, and is odd", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 5, noNaN: true }), (x) => {
      const expected = seriesErf(x);
      expect(Math.abs(erf(x) - expected) / expected).toBeLessThan(5e-16);
      expect(erf(-x)).toBe(-erf(x));
      expect(erfc(x) + erf(x)).toBeCloseTo(1, 15);
      expect(erfc(-x)).toBeCloseTo(2 - erfc(x), 15);
    }),
  );
});

test("golden: published values", () => {
  // Abramowitz & Stegun, table 7.1, and NIST DLMF 7.23.
  expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 15);
  expect(erf(1)).toBeCloseTo(0.8427007929497149, 15);
  expect(erf(2)).toBeCloseTo(0.9953222650189527, 15);
  expect(erfc(3) / 2.209049699858544e-5).toBeCloseTo(1, 14);
  expect(erfc(10) / 2.088487583762545e-45).toBeCloseTo(1, 13);
});

test("erf of zeros, infinities and NaN", () => {
  expect(erf(0)).toBe(0);
  expect(erf(-0)).toBe(-0);
  expect([erf(Infinity), erf(-Infinity), erf(NaN)]).toEqual([1, -1, NaN]);
  expect([erfc(Infinity), erfc(-Infinity), erfc(NaN)]).toEqual([0, 2, NaN]);
});
