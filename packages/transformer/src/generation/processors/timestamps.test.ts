import fc from "fast-check";
import { expect, test } from "vitest";
import { processLogits } from "./logits-processor.js";
import { suppressTokens } from "./suppress-tokens.js";
import { timestampRules } from "./timestamps.js";

// Ids: text 0 to 3, end 4, special token 5, <|notimestamps|> 6, timestamps 7 to 12.
const [stop, special, none, zero] = [4, 5, 6, 7];
const vocabSize = 13;
const rules = timestampRules({ noTimestampsId: none });
const sequence = (...generated: number[]) => ({
  ids: [5, 5, ...generated],
  promptLength: 2,
  stopIds: [stop],
});
const flat = (likely: number, of: number) =>
  Array.from({ length: vocabSize }, (_, id) => (id === likely ? of : 0));
/** Ids that are not removed, if one token is more likely than all timestamps together. */
const allowedIds = (generated: number[], likely = 0, processor = rules) =>
  [...processLogits(flat(likely, 9), [processor], sequence(...generated))].flatMap((score, id) =>
    score > -Infinity ? [id] : [],
  );
const times = (from: number) => Array.from({ length: vocabSize - from }, (_, i) => from + i);
const words = [0, 1, 2, 3, stop, special];

test.each<[string, generated: number[], expected: number[]]>([
  ["a text begins with a timestamp", [], times(zero)],
  ["a text token follows the first timestamp", [zero], words],
  ["after a text token comes another, or a later timestamp", [zero, 0], [...words, ...times(zero + 1)]],
  [
    "after the end of a segment comes the same timestamp, a later one or the end",
    [zero, 0, 9],
    [stop, special, ...times(9)],
  ],
  ["after a pair of timestamps comes a text token", [zero, 0, 9, 9], words],
  ["the end of a segment is later than its start", [zero, 0, 9, 9, 1], [...words, ...times(10)]],
])("%s", (_, generated, expected) => {
  expect(allowedIds(generated, generated.at(-1) === 9 && generated.at(-2) === 0 ? stop : 0)).toEqual(
    expected,
  );
});

test("maxInitialTimestamp limits the first timestamp only", () => {
  const limited = timestampRules({ noTimestampsId: none, maxInitialTimestamp: 2 });
  expect(allowedIds([], 0, limited)).toEqual([zero, zero + 1, zero + 2]);
  expect(allowedIds([zero, 0], 0, limited)).toContain(12);
});

test("golden: five timestamps of probability 0.12 together exceed a text token of 0.4", () => {
  const probabilities = [0.4, 0, 0, 0, 0, 0, 0, 0, 0.12, 0.12, 0.12, 0.12, 0.12];
  const processedProbs = (p: number[]) =>
    [...processLogits(p.map(Math.log), [rules], sequence(zero, 0))].map(Math.exp);
  expect(processedProbs(probabilities)[0]).toBe(0);
  expect(processedProbs(probabilities)[8]).toBeCloseTo(0.12, 12);
  expect(processedProbs(probabilities.with(0, 0.7))[0]).toBeCloseTo(0.7, 12);
});

test("property: timestamps of greedy texts do not decrease, and come in pairs except the first and last", () => {
  const logits = fc.array(
    fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 13, maxLength: 13 }),
    {
      minLength: 1,
      maxLength: 14,
    },
  );
  fc.assert(
    fc.property(logits, (steps) => {
      const generated: number[] = [];
      for (const step of steps) {
        // Other special tokens are suppressed.
        const scores = processLogits(step, [suppressTokens([special]), rules], sequence(...generated));
        const best = scores.indexOf(Math.max(...scores));
        if (scores[best] === -Infinity || best === stop) break;
        generated.push(best);
      }
      const isTime = (id: number) => id >= zero;
      expect(generated).not.toContain(none);
      if (generated.length > 0) expect(isTime(generated[0]!)).toBe(true);
      const inOrder = generated.filter(isTime);
      expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      // Runs of timestamps: one at the beginning, two inside, and one or two at the end.
      const runs = [
        ...generated
          .map((id) => (isTime(id) ? "t" : "w"))
          .join("")
          .matchAll(/t+/g),
      ];
      for (const run of runs) {
        const inside = run.index > 0 && run.index + run[0].length < generated.length;
        expect(run[0].length).toBeLessThanOrEqual(run.index === 0 ? 1 : 2);
        if (inside) expect(run[0].length).toBe(2);
      }
    }),
  );
});

test("an id outside the vocabulary is refused", () => {
  const beyond = timestampRules({ noTimestampsId: 12 });
  expect(() => processLogits(flat(0, 0), [beyond], sequence())).toThrow(
    /^timestampRules: `noTimestampsId` is 12, expected an integer, at most 11/,
  );
  expect(() => timestampRules({} as never)).toThrow(/`noTimestampsId` is undefined/);
});
