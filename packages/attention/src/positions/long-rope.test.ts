import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { longRope } from "./long-rope.js";
import { rope } from "./rope.js";

const options = { shortFactors: [1, 1, 1, 2], longFactors: [1, 2, 4, 8], factor: 32, originalLength: 4096 };

test("golden: short factors up to the trained length, long ones beyond", () => {
  // The arithmetic of Hugging Face's modeling_rope_utils.py, in float64 with NumPy 2.4.
  const { rotaryFrequencies, name } = longRope(options);
  const at = (length: number) => rotaryFrequencies({ base: 10000, rotaryDim: 8, length });
  expect(at(4096).frequencies).toBeAllclose([1, 0.1, 0.01, 0.0005], { rtol: 0, atol: 5e-15 });
  expect(at(4097).frequencies).toBeAllclose([1, 0.05, 0.0025, 0.000125], { rtol: 0, atol: 5e-15 });
  expect(at(1).attentionFactor).toBeCloseTo(1.1902380714238083, 14);
  expect(
    longRope({ ...options, attentionFactor: 1.25 }).rotaryFrequencies({ base: 1, rotaryDim: 8, length: 1 }),
  ).toEqual({
    frequencies: Float64Array.of(1, 1, 1, 0.5),
    attentionFactor: 1.25,
  });
  expect(name).toBe("longRope({ factor: 32, originalLength: 4096, … })");
});

test("the largest position of a call selects the factors for all its tokens", () => {
  const x = randn([1, 1, 2, 8], { seed: 1 });
  const scaled = rope({ headDim: 8, scaling: longRope(options) });
  const always = (factors: number[]) =>
    rope({ headDim: 8, scaling: longRope({ ...options, shortFactors: factors, longFactors: factors }) });
  for (const [start, factors] of [
    [4094, options.shortFactors],
    [4095, options.longFactors],
  ] as const) {
    expect(scaled.apply(x, { start }).data).toEqual(always([...factors]).apply(x, { start }).data);
  }
});

test("numbers of factors that differ from the number of pairs are refused, with the fix", () => {
  const x = randn([1, 1, 1, 16], { seed: 1 });
  const { apply } = rope({ headDim: 16, scaling: longRope(options) });
  expect(() => apply(x, { start: 0 })).toThrow(
    /longRope: `shortFactors` is "4 factors", expected 8 of them, one for each pair of the 16.*\nFix: take `short_factor`/,
  );
  expect(() => apply(x, { start: 5000 })).toThrow(/`longFactors` is "4 factors"/);
  expect(() => longRope({ ...options, longFactors: [1, 0, 1, 1] })).toThrow(/`longFactors` is 0/);
  expect(() => longRope({ ...options, originalLength: 1 })).toThrow(/`originalLength` is 1.*2 or more/);
});
