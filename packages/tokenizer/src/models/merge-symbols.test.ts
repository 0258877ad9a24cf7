import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeSteps, mergeSymbols, type Merges } from "./merge-symbols.js";

// Ranks are drawn from few values, so that ties are common. A token may be made of several pairs.
const token = fc.nat(9);
const table = fc.array(fc.record({ left: token, right: token, id: token, rank: fc.nat(3) }), {
  maxLength: 40,
});

function mergeTable(rows: readonly { left: number; right: number; id: number; rank: number }[]): Merges {
  const pairs = new Map(rows.map(({ left, right, id, rank }) => [left * 10 + right, { id, rank }]));
  return {
    rank: (left, right) => pairs.get(left * 10 + right)?.rank ?? -1,
    merge: (left, right) => pairs.get(left * 10 + right)!.id,
  };
}

function merged(ids: readonly number[], merges: Merges, widths?: Int32Array): number[] {
  const symbols = Int32Array.from(ids);
  return [...symbols.subarray(0, mergeSymbols(symbols, ids.length, merges, widths))];
}

// 40 symbols take the short way, 200 the heap; both are held against the definition.
test.each([40, 200])("property: up to %i symbols merge as in the plain loop, ties included", (maxLength) => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength, minLength: maxLength - 40 }), table, (ids, rows) => {
      const merges = mergeTable(rows);
      expect(merged(ids, merges)).toEqual([...mergeSteps(ids, merges)].at(-1) ?? ids);
    }),
    { numRuns: 300 },
  );
});

test("property: widths are added on each merge, and their sum is unchanged", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 120 }), table, (ids, rows) => {
      const widths = Int32Array.from(ids, (_, at) => 2 ** (at % 20));
      const total = widths.reduce((sum, width) => sum + width, 0);
      const { length } = merged(ids, mergeTable(rows), widths);
      expect(widths.subarray(0, length).reduce((sum, width) => sum + width, 0)).toBe(total);
    }),
  );
});

test("golden: of pairs with equal rank, the leftmost merges first", () => {
  const twins = mergeTable([{ left: 0, right: 0, id: 1, rank: 0 }]);
  expect(merged([0, 0, 0], twins)).toEqual([1, 0]);
  expect(merged(new Array<number>(101).fill(0), twins)).toEqual([...new Array<number>(50).fill(1), 0]);
});

test("golden: mergeSteps yields the symbols after each merge", () => {
  const merges = mergeTable([
    { left: 0, right: 1, id: 3, rank: 1 },
    { left: 3, right: 2, id: 4, rank: 0 },
  ]);
  expect([...mergeSteps([0, 1, 2, 0], merges)]).toEqual([
    [3, 2, 0],
    [4, 0],
  ]);
});

test("a million equal tokens merge with a bounded number of lookups per token", () => {
  // Token k stands for 2^k letters, as the longer merges of one repeated letter do in real vocabularies.
  let lookups = 0;
  const doubling: Merges = {
    rank(left, right) {
      lookups += 1;
      return left === right ? left : -1;
    },
    merge: (left) => left + 1,
  };
  const n = 1_000_000;
  expect(merged(new Array<number>(n).fill(0), doubling)).toEqual([19, 18, 17, 16, 14, 9, 6]); // a million in binary
  expect(lookups).toBeLessThan(6 * n);
});
