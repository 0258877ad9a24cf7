import fc from "fast-check";
import { expect, test } from "vitest";
import { byteString } from "./byte-string.js";
import { learnMerges, type LearnedMerge } from "./learn-merges.js";

/** The definition: count all pairs, merge the best, count again. */
function learnPlainly(words: ReadonlyMap<string, number>): LearnedMerge[] {
  const all = [...words].map(([word, count]) => ({ tokens: [...byteString(word)], count }));
  const learned: LearnedMerge[] = [];
  for (;;) {
    const counts = new Map<string, number>();
    for (const { tokens, count } of all) {
      for (let i = 1; i < tokens.length; i++) {
        const pair = JSON.stringify([tokens[i - 1], tokens[i]]);
        counts.set(pair, (counts.get(pair) ?? 0) + count);
      }
    }
    const pairs = [...counts].map(([pair, count]) => ({ pair: JSON.parse(pair) as [string, string], count }));
    if (pairs.length === 0) return learned;
    const [{ pair, count }] = pairs.sort(
      (a, b) => b.count - a.count || compare(b.pair[0], a.pair[0]) || compare(b.pair[1], a.pair[1]),
    ) as [(typeof pairs)[number]];
    const [left, right] = pair;
    if (!learned.some((one) => one.left === left && one.right === right))
      learned.push({ left, right, count });
    for (const word of all) {
      const merged: string[] = [];
      for (let i = 0; i < word.tokens.length; i++) {
        const both = word.tokens[i] === left && word.tokens[i + 1] === right;
        merged.push(both ? left + right : word.tokens[i]!);
        if (both) i++;
      }
      word.tokens = merged;
    }
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
// Two letters make many ties, overlaps and tokens that two pairs make.
const word = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 24 });
const counts = fc.uniqueArray(fc.tuple(word, fc.integer({ min: 1, max: 3 })), {
  selector: ([text]) => text,
  maxLength: 8,
});

test("property: merges and their counts equal those of a full recount after each merge", () => {
  fc.assert(
    fc.property(counts, (entries) => {
      const words = new Map(entries);
      expect([...learnMerges(words)]).toEqual(learnPlainly(words));
    }),
    { numRuns: 500 },
  );
});

test("golden: overlapping occurrences, by hand", () => {
  // aaaa has three places of (a, a); they merge from the left to aa aa.
  expect([...learnMerges(new Map([["aaaa", 5]]))]).toEqual([
    { left: "a", right: "a", count: 15 },
    { left: "aa", right: "aa", count: 5 },
  ]);
});

test("golden: of pairs with equal counts, the greater by bytes merges first, compared by left token first", () => {
  const first = (...words: string[]) => [...learnMerges(new Map(words.map((text) => [text, 1])))][0];
  expect(first("ab", "ac")).toMatchObject({ left: "a", right: "c" });
  expect(first("bz", "ca")).toMatchObject({ left: "c", right: "a" });
  // U+FFFF is EF BF BF and U+10000 is F0 90 80 80, although its UTF-16 is smaller.
  expect(first("\uffff", "\u{10000}")).toMatchObject({ left: "ð", right: "Ĳ" });
});

test("words of one byte, and an empty list, give no merges", () => {
  expect([
    ...learnMerges(
      new Map([
        ["a", 9],
        ["", 1],
      ]),
    ),
  ]).toEqual([]);
});

test("in a million equal letters, each merge doubles the longest token", () => {
  const merges = [...learnMerges(new Map([["a".repeat(2 ** 20), 1]]))];
  expect(merges.map(({ left }) => left.length)).toEqual(Array.from({ length: 20 }, (_, i) => 2 ** i));
});
