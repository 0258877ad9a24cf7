import fc from "fast-check";
import { expect, test } from "vitest";
import { mergePairs, type FindMerge, type Merge } from "./merge-pairs.js";

/** The definition, word for word: search all neighbours, merge the best, begin again. */
function mergePlainly(ids: readonly number[], findMerge: FindMerge): number[] {
  const tokens = [...ids];
  for (;;) {
    let best: { at: number; merge: Merge } | undefined;
    for (let at = 0; at + 1 < tokens.length; at++) {
      const merge = findMerge(tokens[at]!, tokens[at + 1]!);
      if (merge !== undefined && (best === undefined || merge.score > best.merge.score)) best = { at, merge };
    }
    if (best === undefined) return tokens;
    tokens.splice(best.at, 2, best.merge.id);
  }
}

// Scores are drawn from few values, so that ties are common. A token may be made of several pairs.
const token = fc.nat(9);
const table = fc.array(
  fc.record({ left: token, right: token, id: token, score: fc.integer({ min: -3, max: 0 }) }),
  { maxLength: 40 },
);

test("property: the heap merges what the plain loop merges, ties included", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 40 }), table, (ids, rows) => {
      const scores = new Map(rows.map(({ id, score }) => [id, score])); // one token has one score
      const pairs = new Map(
        rows.map(({ left, right, id }) => [left * 10 + right, { id, score: scores.get(id)! }]),
      );
      const findMerge: FindMerge = (left, right) => pairs.get(left * 10 + right);
      expect(mergePairs(ids, findMerge)).toEqual(mergePlainly(ids, findMerge));
    }),
    { numRuns: 500 },
  );
});

test("golden: of equal pairs the leftmost merges first", () => {
  const twins: FindMerge = (left, right) => (left === 0 && right === 0 ? { id: 1, score: 0 } : undefined);
  expect(mergePairs([0, 0, 0], twins)).toEqual([1, 0]);
  expect(mergePairs([0, 0, 0, 0, 0], twins)).toEqual([1, 1, 0]);
});

test("a million equal tokens cost a bounded number of lookups each", () => {
  // Token k stands for 2^k letters, as the longer merges of one repeated letter do in real vocabularies.
  let lookups = 0;
  const doubling: FindMerge = (left, right) => {
    lookups += 1;
    return left === right ? { id: left + 1, score: -left } : undefined;
  };
  const n = 1_000_000;
  const merged = mergePairs(new Array<number>(n).fill(0), doubling);
  expect(merged).toEqual([19, 18, 17, 16, 14, 9, 6]); // the binary digits of a million
  expect(lookups).toBeLessThan(6 * n);
});
