import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import { bracketBatches, bracketIds, encodeBrackets } from "./brackets.js";
import { palindromeBatches } from "./palindromes.js";
import { sortBatches } from "./sorted-lists.js";

const seed = fc.nat(1000);
const splitRows = (data: ArrayLike<number>, T: number): number[][] =>
  Array.from({ length: data.length / T }, (_, b) => Array.from(data).slice(b * T, (b + 1) * T));

/** True if removing adjacent pairs `()` leaves an empty text. */
function isBalanced(text: string): boolean {
  for (let left = text; ; left = left.replace("()", "")) if (!left.includes("()")) return left === "";
}

test("property: bracketBatches has its only target at the first end token, and about half of the rows are balanced", () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 2, max: 12 }), (seed, maxLength) => {
      const { ids, targets } = bracketBatches({ seed, maxLength, batchSize: 200 })(seed);
      const answers = splitRows(targets.data, maxLength + 2);
      const balanced = splitRows(ids.data, maxLength + 2).filter((row, b) => {
        const end = row.indexOf(bracketIds.end);
        const text = row
          .slice(1, end)
          .map((id) => (id === bracketIds.open ? "(" : ")"))
          .join("");
        expect(encodeBrackets(text)).toEqual(row.slice(0, end + 1));
        expect(row.slice(end).every((id) => id === bracketIds.end)).toBe(true);
        const expected = new Array<number>(maxLength + 2).fill(-100);
        expected[end] = Number(isBalanced(text));
        expect(answers[b]).toEqual(expected);
        return isBalanced(text);
      });
      expect(balanced.length).toBeGreaterThan(90);
    }),
    { numRuns: runs(20) },
  );
});

test("property: about half of palindromeBatches are palindromes, and some of the others differ by one digit", () => {
  fc.assert(
    fc.property(seed, (seed) => {
      const { ids, targets } = palindromeBatches({ seed, length: 6, batchSize: 200 })(3);
      const answers = splitRows(targets.data, 8);
      const misses = splitRows(ids.data, 8).map((row, b) => {
        expect([row[0], row[7]]).toEqual([10, 11]);
        const digits = row.slice(1, 7);
        const wrong = digits.filter((digit, n) => digit !== digits[5 - n]).length / 2;
        expect(answers[b]).toEqual([...new Array<number>(7).fill(-100), Number(wrong === 0)]);
        return wrong;
      });
      expect(misses.filter((wrong) => wrong === 0).length).toBeGreaterThan(70);
      expect(misses.filter((wrong) => wrong === 1).length).toBeGreaterThan(20);
    }),
    { numRuns: runs(20) },
  );
});

test("property: the targets of sortBatches are the sorted list", () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 1, max: 9 }), (seed, length) => {
      const { ids, targets } = sortBatches({ seed, length, numValues: 9, batchSize: 20 })(1);
      const answers = splitRows(targets.data, 2 * length);
      splitRows(ids.data, 2 * length).forEach((row, b) => {
        const list = row.slice(0, length);
        const sorted = [...list].sort((a, b) => a - b);
        expect(new Set(list).size).toBe(length);
        expect(row.slice(length)).toEqual([9, ...sorted.slice(0, -1)]);
        expect(answers[b]).toEqual([...new Array<number>(length).fill(-100), ...sorted]);
      });
    }),
    { numRuns: runs(20) },
  );
});

test.each([bracketBatches, palindromeBatches, sortBatches])(
  "%o gives equal rows for equal seeds and steps only",
  (make) => {
    const row = (seed: number, step: number) => String(make({ seed, batchSize: 4 })(step).ids.data);
    expect(row(1, 7)).toBe(row(1, 7));
    expect(row(1, 7)).not.toBe(row(1, 8));
    expect(row(1, 7)).not.toBe(row(2, 7));
  },
);

test("invalid texts and sizes are refused", () => {
  expect(() => encodeBrackets("(a)")).toThrow(/encodeBrackets: `text` is "\(a\)", expected brackets/);
  expect(() => bracketBatches({ seed: 1, maxLength: 1 })).toThrow(/bracketBatches: `maxLength` is 1/);
  expect(() => palindromeBatches({ seed: 1, length: 5 })).toThrow(/`length` is 5, expected an even number/);
  expect(() => sortBatches({ seed: 1, length: 9, numValues: 8 })).toThrow(
    /`numValues` is 8.*\nFix: give as many/,
  );
});
