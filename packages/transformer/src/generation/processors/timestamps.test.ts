import fc from "fast-check";
import { expect, test } from "vitest";
import { processLogits } from "./logits-processor.js";
import { suppressTokens } from "./suppress-tokens.js";
import { timestampRules } from "./timestamps.js";

// Words 0 to 3, the end 4, a special token 5, <|notimestamps|> 6, times 7 to 12.
const [stop, special, none, zero] = [4, 5, 6, 7];
const vocabSize = 13;
const rules = timestampRules({ noTimestampsId: none });
const sequence = (...own: number[]) => ({ ids: [5, 5, ...own], promptLength: 2, stopIds: [stop] });
const flat = (likely: number, of: number) =>
  Array.from({ length: vocabSize }, (_, id) => (id === likely ? of : 0));
/** Tokens that stay, where a token is so likely that times together are not likelier. */
const staying = (own: number[], likely = 0, processor = rules) =>
  [...processLogits(flat(likely, 9), [processor], sequence(...own))].flatMap((score, id) =>
    score > -Infinity ? [id] : [],
  );
const times = (from: number) => Array.from({ length: vocabSize - from }, (_, i) => from + i);
const words = [0, 1, 2, 3, stop, special];

test.each<[string, own: number[], expected: number[]]>([
  ["a text begins with a time", [], times(zero)],
  ["a word follows the first time", [zero], words],
  ["after a word comes another, or a later time", [zero, 0], [...words, ...times(zero + 1)]],
  [
    "after the end of a segment comes the same time or a later one, or the end",
    [zero, 0, 9],
    [stop, special, ...times(9)],
  ],
  ["after a pair comes a word", [zero, 0, 9, 9], words],
  ["a segment is not empty", [zero, 0, 9, 9, 1], [...words, ...times(10)]],
])("%s", (_, own, expected) => {
  expect(staying(own, own.at(-1) === 9 && own.at(-2) === 0 ? stop : 0)).toEqual(expected);
});

test("the first segment begins at a limited time", () => {
  const limited = timestampRules({ noTimestampsId: none, maxInitialTimestamp: 2 });
  expect(staying([], 0, limited)).toEqual([zero, zero + 1, zero + 2]);
  expect(staying([zero, 0], 0, limited)).toContain(12);
});

test("golden: five times of probability 0.12 together exceed a word of 0.4", () => {
  const probabilities = [0.4, 0, 0, 0, 0, 0, 0, 0, 0.12, 0.12, 0.12, 0.12, 0.12];
  const kept = (p: number[]) => [...processLogits(p.map(Math.log), [rules], sequence(zero, 0))].map(Math.exp);
  expect(kept(probabilities)[0]).toBe(0);
  expect(kept(probabilities)[8]).toBeCloseTo(0.12, 12);
  expect(kept(probabilities.with(0, 0.7))[0]).toBeCloseTo(0.7, 12);
});

test("property: greedy texts have times in rising order, in pairs but for the first and the last", () => {
  const logits = fc.array(
    fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 13, maxLength: 13 }),
    {
      minLength: 1,
      maxLength: 14,
    },
  );
  fc.assert(
    fc.property(logits, (steps) => {
      const own: number[] = [];
      for (const step of steps) {
        // Other special tokens never come: they are suppressed.
        const scores = processLogits(step, [suppressTokens([special]), rules], sequence(...own));
        const best = scores.indexOf(Math.max(...scores));
        if (scores[best] === -Infinity || best === stop) break;
        own.push(best);
      }
      const isTime = (id: number) => id >= zero;
      expect(own).not.toContain(none);
      if (own.length > 0) expect(isTime(own[0]!)).toBe(true);
      const inOrder = own.filter(isTime);
      expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      // Runs of times: one at the beginning, two inside, and one or two at the end.
      const runs = [
        ...own
          .map((id) => (isTime(id) ? "t" : "w"))
          .join("")
          .matchAll(/t+/g),
      ];
      for (const run of runs) {
        const inside = run.index > 0 && run.index + run[0].length < own.length;
        expect(run[0].length).toBeLessThanOrEqual(run.index === 0 ? 1 : 2);
        if (inside) expect(run[0].length).toBe(2);
      }
    }),
  );
});

test("an id outside of the vocabulary is refused", () => {
  const beyond = timestampRules({ noTimestampsId: 12 });
  expect(() => processLogits(flat(0, 0), [beyond], sequence())).toThrow(
    /^timestampRules: `noTimestampsId` is 12, expected an integer, at most 11/,
  );
  expect(() => timestampRules({} as never)).toThrow(/`noTimestampsId` is undefined/);
});
