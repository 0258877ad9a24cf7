import fc from "fast-check";
import { expect, test } from "vitest";
import { processLogits, type LogitsProcessor } from "./processors/logits-processor.js";
import { minP } from "./processors/min-p.js";
import { temperature } from "./processors/temperature.js";
import { topK } from "./processors/top-k.js";
import { topP } from "./processors/top-p.js";
import { candidates, checkSampling, chooseToken, logProbability, type Sampling } from "./sampling.js";

const logits = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 8 });
const greedy = checkSampling({});
/** Uniform random numbers, spread evenly over 0 to 1. */
const chances = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000);

const softmax = (logits: readonly number[], temperature = 1) => {
  const powers = logits.map((logit) => Math.exp(logit / temperature));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
};

test("property: at temperature 0 the first of the most likely tokens is chosen, whatever the random number", () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0, max: 1, noNaN: true }), (logits, chance) => {
      expect(chooseToken(logits, greedy, chance)).toBe(logits.indexOf(Math.max(...logits)));
    }),
  );
  expect(chooseToken([1, 3, 3], greedy, 0.9)).toBe(1);
});

test("property: over all random numbers, token frequencies equal the softmax at the temperature", () => {
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

test("property: top-p keeps the smallest set of most likely tokens that reaches it, with renormalized probabilities", () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (logits, topP) => {
      const p = softmax(logits);
      const order = [...p.keys()].sort((a, b) => p[b]! - p[a]! || a - b);
      const nucleus: number[] = [];
      let total = 0;
      for (const id of order) {
        if (total >= topP) break;
        nucleus.push(id);
        total += p[id]!;
      }
      const counts = logits.map(() => 0);
      for (const chance of chances)
        counts[chooseToken(logits, checkSampling({ temperature: 1, topP }), chance)]! += 1;
      p.forEach((probability, id) => {
        const share = nucleus.includes(id) ? probability / total : 0;
        expect(Math.abs(counts[id]! / chances.length - share)).toBeLessThanOrEqual(0.001 + 1e-9);
      });
    }),
    { numRuns: 40 },
  );
});

test("golden: tokens of probabilities 1/2, 1/4, 1/8 and 1/8 by random number", () => {
  const logits = [3, 2, 1, 1].map((n) => n * Math.LN2);
  const choose = (chance: number, topP = 1) =>
    chooseToken(logits, checkSampling({ temperature: 1, topP }), chance);
  expect([0, 0.49, 0.51, 0.74, 0.76, 0.87, 0.88, 0.999].map((c) => choose(c))).toEqual([
    0, 0, 1, 1, 2, 2, 3, 3,
  ]);
  expect([0, 0.66, 0.67, 0.999].map((c) => choose(c, 0.6))).toEqual([0, 0, 1, 1]); // 2/3 and 1/3
  expect([0, 0.999].map((c) => choose(c, 0.4))).toEqual([0, 0]);
  // Ties are in order of id, and a token that reaches top-p exactly is sufficient.
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

test("invalid sampling options are refused, with the fix", () => {
  for (const temperature of [-0.1, NaN, Infinity]) {
    expect(() => checkSampling({ temperature })).toThrow(
      /`temperature` is .*, expected a number, 0 or more.\nFix: use 0/,
    );
  }
  for (const topP of [0, -1, 1.1, NaN]) {
    expect(() => checkSampling({ topP })).toThrow(/`topP` is .*, expected a number above 0, at most 1/);
  }
  for (const seed of [0.5, NaN, 2 ** 53])
    expect(() => checkSampling({ seed })).toThrow(/`seed` is .*, expected an integer/);
});

test("property: top-k keeps the k most likely tokens, for small and large k", () => {
  const many = Array.from({ length: 100 }, (_, id) => Math.sin(37 * id));
  fc.assert(
    fc.property(fc.constantFrom(many, many.slice(0, 9)), fc.integer({ min: 1, max: 9 }), (logits, topK) => {
      const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
      const topKCandidates = candidates(logits, { temperature: 1, topK });
      expect(topKCandidates.map(({ id }) => id)).toEqual(order.slice(0, topK));
      const p = softmax(logits);
      const total = order.slice(0, topK).reduce((sum, id) => sum + p[id]!, 0);
      topKCandidates.forEach(({ id, probability }) => expect(probability).toBeCloseTo(p[id]! / total, 9));
      for (const chance of [0, 0.3, 0.999]) {
        const chosen = chooseToken(logits, checkSampling({ temperature: 1, topK }), chance);
        expect(order.slice(0, topK)).toContain(chosen);
      }
    }),
  );
});

test("property: min-p removes tokens less likely than minP times the highest probability", () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0.01, max: 1, noNaN: true }), (logits, minP) => {
      const p = softmax(logits, 2);
      const least = minP * Math.max(...p);
      const minPIds = candidates(logits, { temperature: 2, minP }).map(({ id }) => id);
      p.forEach((probability, id) => {
        if (Math.abs(probability - least) > 1e-9) expect(minPIds.includes(id)).toBe(probability > least);
      });
    }),
  );
});

test("min-p keeps a token at exactly minP times the highest probability", () => {
  const minPIds = (logits: number[], minP: number) =>
    candidates(logits, { temperature: 1, minP }).map(({ id }) => id);
  expect(minPIds([0, Math.log(0.5), 0], 1)).toEqual([0, 2]); // at 1, all tokens tied with the most likely one
  expect(minPIds([0, Math.log(0.5), Math.log(0.25)], Math.exp(Math.log(0.5)))).toEqual([0, 1]);
});

test("top-p applies to the tokens that top-k keeps", () => {
  // Probabilities 8, 4, 2, 1, 1 of 16: among the first three, 8/14 reaches 0.5, and 12/14 reaches 0.8.
  const logits = [3, 2, 1, 0, 0].map((n) => n * Math.LN2);
  const candidateIds = (sampling: Sampling) =>
    candidates(logits, { temperature: 1, ...sampling }).map(({ id }) => id);
  expect(candidateIds({ topK: 3, topP: 0.5 })).toEqual([0]);
  expect(candidateIds({ topK: 3, topP: 0.8 })).toEqual([0, 1]);
  expect(candidateIds({ topP: 0.8 })).toEqual([0, 1, 2]);
  expect(candidateIds({ topK: 2, topP: 1, minP: 0.6 })).toEqual([0]);
});

test("top-p sums what top-k leaves, and min-p comes last", () => {
  const ids = (sampling: Sampling) =>
    candidates([3, 4, 0, 1.5], { temperature: 1, ...sampling }).map(({ id }) => id);
  // Of the three, the first has 0.6897: less than 0.69.
  expect(ids({ topK: 3, topP: 0.69 })).toEqual([1, 0]);
  expect(ids({ topK: 3, topP: 0.69, minP: 0.2 })).toEqual([1, 0]);
  expect(ids({ topK: 3, topP: 0.69, minP: 0.5 })).toEqual([1]);
});

test("property: every combination of steps is that of the logits processors, in the order of the fields", () => {
  const steps = fc.record({
    temperature: fc.double({ min: 0.3, max: 3, noNaN: true }),
    topK: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    topP: fc.option(fc.double({ min: 0.05, max: 0.99, noNaN: true }), { nil: undefined }),
    minP: fc.option(fc.double({ min: 0.001, max: 0.9, noNaN: true }), { nil: undefined }),
  });
  // No two are so near that rounding orders them.
  const distinct = fc.uniqueArray(fc.integer({ min: -2000, max: 2000 }), { minLength: 3, maxLength: 9 });
  fc.assert(
    fc.property(distinct, steps, (thousandths, given) => {
      const logits = thousandths.map((n) => n / 1000);
      const processors: LogitsProcessor[] = [temperature(given.temperature)];
      if (given.topK !== undefined) processors.push(topK(given.topK));
      if (given.topP !== undefined) processors.push(topP(given.topP));
      if (given.minP !== undefined) processors.push(minP(given.minP));
      const powers = Array.from(processLogits(logits, processors, { ids: [] }), Math.exp);
      const total = powers.reduce((a, b) => a + b);
      const expected = powers
        .map((power, id) => ({ id, probability: power / total }))
        .filter(({ probability }) => probability > 0)
        .sort((a, b) => b.probability - a.probability);
      const sampling = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const found = candidates(logits, sampling);
      expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      found.forEach(({ probability }, i) => expect(probability).toBeCloseTo(expected[i]!.probability, 9));
    }),
    { numRuns: 1000 },
  );
});

test("penalties and biases change logits, at temperature 0 too", () => {
  const logits = [2, 1.5, 1, -1];
  const history = { prompt: [0], generated: [1, 1] };
  const first = (sampling: Sampling) => candidates(logits, sampling, history)[0]!.id;
  expect(first({})).toBe(0);
  expect(first({ repetitionPenalty: 1.9 })).toBe(0); // 2 / 1.9 against 1
  expect(first({ repetitionPenalty: 2.1 })).toBe(2);
  expect(first({ presencePenalty: 5 })).toBe(0); // only generated tokens are penalized
  expect(first({ logitBias: { 0: -Infinity } })).toBe(1);
  expect(first({ logitBias: { 0: -Infinity }, presencePenalty: 0.6 })).toBe(2); // 0.9 against 1
  expect(first({ logitBias: { 0: -Infinity }, presencePenalty: 0.4 })).toBe(1);
  expect(first({ logitBias: { 0: -Infinity }, frequencyPenalty: 0.3 })).toBe(2); // twice 0.3
  expect(first({ frequencyPenalty: 1.5 })).toBe(0); // the prompt's tokens are not counted
  expect(first({ logitBias: { 3: 4 } })).toBe(3);
  // Negative logits are multiplied by the penalty: -1 becomes -2.
  const shares = candidates(
    [0, -1],
    { temperature: 1, repetitionPenalty: 2 },
    { prompt: [1], generated: [] },
  );
  expect(shares[1]!.probability).toBeCloseTo(Math.exp(-2) / (1 + Math.exp(-2)), 9);
  expect(chooseToken(logits, checkSampling({ logitBias: { 3: 4 } }), 0)).toBe(3);
});

test("sampling options out of range are refused, with the option", () => {
  const wrong: [Sampling, RegExp][] = [
    [{ topK: 0 }, /candidates: `topK` is 0, expected an integer number of tokens, 1 or more/],
    [{ minP: 1.5 }, /`minP` is 1.5, expected a number from 0 to 1/],
    [{ repetitionPenalty: 0 }, /`repetitionPenalty` is 0, expected a number above 0/],
    [{ presencePenalty: NaN }, /`presencePenalty` is NaN, expected a finite number/],
    [{ frequencyPenalty: Infinity }, /`frequencyPenalty` is Infinity/],
    [{ logitBias: { 1: Infinity } }, /`logitBias` is "1: Infinity", expected token ids/],
    [{ logitBias: { x: 1 } as never }, /`logitBias` is "x: 1"/],
  ];
  for (const [sampling, message] of wrong) expect(() => candidates([0], sampling)).toThrow(message);
});

test.each([[[1, NaN, 2]], [[1, Infinity]], [[-Infinity, -Infinity]]])("logits %o are refused", (logits) => {
  expect(() => logProbability(logits, 0)).toThrow(
    /generate: `logits` .*, expected numbers of which none is NaN or Infinity.\nFix: look for NaN/,
  );
  expect(logProbability([1, -Infinity], 0)).toBe(0); // a token at −∞ has probability 0
});
