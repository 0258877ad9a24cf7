import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { yarn, type YarnOptions } from "./yarn.js";

const frequenciesFor = (options: Partial<YarnOptions>) =>
  yarn({ factor: 4, originalLength: 4096, ...options }).rotaryFrequencies({
    base: 10000,
    rotaryDim: 16,
    length: 1,
  });

test("golden: fast pairs keep their frequency, slow ones are divided by the factor, with a ramp in between", () => {
  // The arithmetic of Hugging Face's modeling_rope_utils.py, in float64 with NumPy 2.4.
  const four = frequenciesFor({});
  expect(four.frequencies).toBeAllclose(
    [1, 0.316227766017, 0.1, 0.0256935059889, 0.00625, 0.00138349647632, 0.00025, 7.90569415042e-5],
    { rtol: 5e-11, atol: 0 },
  );
  expect(four.attentionFactor).toBeCloseTo(1.138629436111989, 14);
  expect(frequenciesFor({ truncate: false }).frequencies).toBeAllclose(
    [1, 0.316227766017, 0.1, 0.028613608812, 0.00655697152113, 0.00128563203073, 0.00025, 7.90569415042e-5],
    { rtol: 5e-11, atol: 0 },
  );
  expect(frequenciesFor({ factor: 40 }).frequencies).toBeAllclose(
    [1, 0.316227766017, 0.1, 0.023914724805, 0.005125, 0.00084986212117, 2.5e-5, 7.90569415042e-6],
    { rtol: 5e-11, atol: 0 },
  );
});

test("golden: the end of the ramp is limited to the last number of a head", () => {
  // The same arithmetic, with base 10: pair 22.5 would make one full rotation.
  const { rotaryFrequencies } = yarn({ factor: 4, originalLength: 4096, betaFast: 1000 });
  expect(rotaryFrequencies({ base: 10, rotaryDim: 16, length: 1 }).frequencies).toBeAllclose(
    [
      1.0, 0.712399498866, 0.506107192671, 0.358442027914, 0.252982212813, 0.177853027925, 0.124479558703,
      0.0866788930906,
    ],
    { rtol: 5e-11, atol: 0 },
  );
});

test("golden: DeepSeek's attention factors, and a given one", () => {
  expect(frequenciesFor({ factor: 40, mscale: 0.707, mscaleAllDim: 1 }).attentionFactor).toBeCloseTo(
    0.9210423553163399,
    14,
  );
  expect(frequenciesFor({ factor: 40, mscale: 1, mscaleAllDim: 1 }).attentionFactor).toBe(1);
  expect(frequenciesFor({ attentionFactor: 1.5, mscale: 0.707, mscaleAllDim: 1 }).attentionFactor).toBe(1.5);
});

test("a ramp of length 0 is a step", () => {
  const { frequencies } = frequenciesFor({
    betaFast: 1.0001,
    betaSlow: 1,
    truncate: false,
    originalLength: 1,
  });
  expect(frequencies).toBeAllclose(
    Array.from({ length: 8 }, (_, i) => 10000 ** (-i / 8) * (i === 0 ? 1 : 1 / 4)),
    { rtol: 5e-11, atol: 0 },
  );
});

test("the name is the call that created it, and invalid numbers are refused", () => {
  expect(yarn({ factor: 4, originalLength: 4096 }).name).toBe("yarn({ factor: 4, originalLength: 4096 })");
  expect(() => frequenciesFor({ betaFast: 1 })).toThrow(
    /yarn: `betaFast` is 1, expected a finite number above betaSlow = 1.\nFix: leave both out for 32 and 1/,
  );
  expect(() => frequenciesFor({ betaSlow: 0 })).toThrow(/`betaSlow` is 0/);
  expect(() => frequenciesFor({ originalLength: 0.5 })).toThrow(
    /`originalLength` is 0.5.*\nFix: take `rope_scaling/,
  );
  expect(() => frequenciesFor({ attentionFactor: -1 })).toThrow(
    /`attentionFactor` is -1, expected a finite number, 0 or/,
  );
});
