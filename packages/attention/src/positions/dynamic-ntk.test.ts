import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { dynamicNtk } from "./dynamic-ntk.js";

const frequenciesFor = (factor: number, length: number, rotaryDim = 8) =>
  dynamicNtk({ factor, originalLength: 2048 }).rotaryFrequencies({ base: 10000, rotaryDim, length });

test("property: nothing changes up to the trained length; beyond, the slowest pair is slowed by factor · length / originalLength − (factor − 1)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 20000 }), (factor, length) => {
      const { frequencies, attentionFactor } = frequenciesFor(factor, length);
      const stretch = length <= 2048 ? 1 : (factor * length) / 2048 - (factor - 1);
      expect(frequencies[0]).toBe(1);
      // base^(−6/8) with base · stretch^(8/6) is the plain frequency divided by stretch.
      expect(frequencies[3]! * stretch).toBeCloseTo(1e-3, 14);
      expect(attentionFactor).toBe(1);
    }),
  );
});

test("golden: twice the trained length at factor 2", () => {
  // The arithmetic of Hugging Face's modeling_rope_utils.py, in float64 with NumPy 2.4.
  const expected = [1, 0.0693361274351, 0.00480749856769, 0.000333333333333];
  expect(frequenciesFor(2, 4096).frequencies).toBeAllclose(expected, { rtol: 0, atol: 5e-13 });
  expect([...frequenciesFor(2, 4096, 2).frequencies]).toEqual([1]);
});

test("an invalid length is refused, with the fix", () => {
  expect(() => dynamicNtk({ factor: 2, originalLength: 0 })).toThrow(
    /dynamicNtk: `originalLength` is 0, expected an integer number of tokens, 1 or more.\nFix: take the model's/,
  );
});
