import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { llama3Scaling } from "./llama3-scaling.js";

test("golden: the frequencies of Llama 3.1", () => {
  // The arithmetic of Hugging Face's modeling_rope_utils.py, in float64 with NumPy 2.4.
  const { frequencies, attentionFactor } = llama3Scaling().rotaryFrequencies({
    base: 500000,
    rotaryDim: 16,
    length: 1,
  });
  const expected = [
    1, 0.193922744749, 0.0376060309309, 0.00729266473722, 0.000524846160993, 3.42810219595e-5,
    6.64786987118e-6, 1.28917317215e-6,
  ];
  expect(frequencies).toBeAllclose(expected, { rtol: 5e-11, atol: 0 });
  expect(attentionFactor).toBe(1);
});

test("golden: each of the three ranges", () => {
  const { rotaryFrequencies, name } = llama3Scaling({
    factor: 4,
    lowFactor: 0.25,
    highFactor: 0.75,
    originalLength: 16,
  });
  const { frequencies } = rotaryFrequencies({ base: 4 ** 3, rotaryDim: 6, length: 1 });
  // base^(−2i/6) = 1, 1/4, 1/16; rotations = 16/2π · frequency = 2.546, 0.637, 0.159.
  const share = (16 / 4 / (2 * Math.PI) - 0.25) / 0.5;
  const expected = [1, (1 - share) / 16 + share / 4, 1 / 64];
  expect(frequencies).toBeAllclose(expected, { rtol: 0, atol: 5e-15 });
  expect(name).toBe("llama3Scaling({ factor: 4, lowFactor: 0.25, highFactor: 0.75, originalLength: 16 })");
});

test("invalid numbers are refused, with the fix", () => {
  expect(() => llama3Scaling({ highFactor: 1 })).toThrow(
    /llama3Scaling: `highFactor` is 1, expected a finite number above lowFactor = 1.\nFix: leave both out/,
  );
  expect(() => llama3Scaling({ lowFactor: 0 })).toThrow(/`lowFactor` is 0/);
  expect(() => llama3Scaling({ originalLength: -1 })).toThrow(/`originalLength` is -1/);
});
