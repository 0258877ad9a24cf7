import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSampling, chooseToken, logProbability } from "./sampling.js";

const logits = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 8 });
const sure = checkSampling({});
/** Chances spread evenly over 0 to 1. */
const chances = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);

const softmax = (logits: readonly number[], temperature = 1) => {
  const powers = logits.map((logit) => Math.exp(logit / temperature));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
};

test("property: at temperature 0 the choice is the first of the likeliest, whatever the chance", () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0, max: 1, noNaN: true }), (logits, chance) => {
      expect(chooseToken(logits, sure, chance)).toBe(logits.indexOf(Math.max(...logits)));
    }),
  );
  expect(chooseToken([1, 3, 3], sure, 0.9)).toBe(1);
});

test("property: over all chances, tokens come as often as the tempered softmax says", () => {
  fc.assert(
    fc.property(logits, fc.constantFrom(0.5, 1, 2), (logits, temperature) => {
      const counts = logits.map(() => 0);
      for (const chance of chances) counts[chooseToken(logits, checkSampling({ temperature }), chance)]! += 1;
      softmax(logits, temperature).forEach((p, id) =>
        expect(Math.abs(counts[id]! / chances.length - p)).toBeLessThanOrEqual(0.001 + 1e-9),
      );
    }),
    { numRuns: 40 },
  );
});

test("property: top-p keeps the fewest likeliest tokens that reach it, in their proportions", () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (logits, topP) => {
      const p = softmax(logits);
      const order = [...p.keys()].sort((a, b) => p[b]! - p[a]! || a - b);
      const kept: number[] = [];
      let total = 0;
      for (const id of order) {
        if (total >= topP) break;
        kept.push(id);
        total += p[id]!;
      }
      const counts = logits.map(() => 0);
      for (const chance of chances)
        counts[chooseToken(logits, checkSampling({ temperature: 1, topP }), chance)]! += 1;
      p.forEach((one, id) => {
        const share = kept.includes(id) ? one / total : 0;
        expect(Math.abs(counts[id]! / chances.length - share)).toBeLessThanOrEqual(0.001 + 1e-9);
      });
    }),
    { numRuns: 40 },
  );
});

test("golden: a half, a quarter, two eighths", () => {
  const logits = [3, 2, 1, 1].map((n) => n * Math.LN2);
  const choose = (chance: number, topP = 1) =>
    chooseToken(logits, checkSampling({ temperature: 1, topP }), chance);
  expect([0, 0.49, 0.51, 0.74, 0.76, 0.87, 0.88, 0.999].map((c) => choose(c))).toEqual([
    0, 0, 1, 1, 2, 2, 3, 3,
  ]);
  expect([0, 0.66, 0.67, 0.999].map((c) => choose(c, 0.6))).toEqual([0, 0, 1, 1]); // 2/3 and 1/3
  expect([0, 0.999].map((c) => choose(c, 0.4))).toEqual([0, 0]);
  // Equal tokens stay in their order, and one that reaches top-p exactly is enough.
  expect([0, 0.999].map((c) => chooseToken([0, 0], checkSampling({ temperature: 1, topP: 0.5 }), c))).toEqual(
    [0, 0],
  );
  expect(logProbability(logits, 0)).toBeCloseTo(Math.log(0.5), 12);
  expect(logProbability(logits, 3)).toBeCloseTo(Math.log(0.125), 12);
});

test("large logits do not overflow", () => {
  const logits = [1e4, 1e4 - 1, -1e4];
  expect(logProbability(logits, 1)).toBeCloseTo(-1.313262, 5);
  expect(chooseToken(logits, checkSampling({ temperature: 1 }), 0.9)).toBe(1);
});

test("what is no sampling is refused, with the fix", () => {
  for (const temperature of [-0.1, NaN, Infinity]) {
    expect(() => checkSampling({ temperature })).toThrow(
      /`temperature` is .*, expected a number, 0 or more.\nFix: use 0/,
    );
  }
  for (const topP of [0, -1, 1.1, NaN]) {
    expect(() => checkSampling({ topP })).toThrow(/`topP` is .*, expected a number above 0, at most 1/);
  }
  for (const seed of [0.5, NaN, 2 ** 53])
    expect(() => checkSampling({ seed })).toThrow(/`seed` is .*, expected a whole number/);
});
