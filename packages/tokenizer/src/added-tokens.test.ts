import fc from "fast-check";
import { expect, test } from "vitest";
import { addedTokenFinder } from "./added-tokens.js";

const letters = ["a", "b", "é", "\ud83d", "\ude00", "😀", "𝔸"];
const text = (maxLength: number) => fc.string({ unit: fc.constantFrom(...letters), maxLength });

/** The longest token that begins at each place, one after the other. */
function oneByOne(contents: readonly string[], read: string): [number, number][] {
  const whole = (at: number) =>
    !/[\ud800-\udbff]$/.test(read.slice(0, at)) || !/^[\udc00-\udfff]/.test(read.slice(at));
  const found: [number, number][] = [];
  for (let at = 0; at < read.length;) {
    const longest = contents
      .filter(
        (content) =>
          content !== "" && read.startsWith(content, at) && whole(at) && whole(at + content.length),
      )
      .reduce((most, { length }) => Math.max(most, length), 0);
    if (longest > 0) found.push([at, at + longest]);
    at += Math.max(1, longest);
  }
  return found;
}

test("property: finds the leftmost token first, of those the longest, and splits no surrogate pair", () => {
  fc.assert(
    fc.property(fc.array(text(3), { maxLength: 6 }), text(12), (contents, read) => {
      const find = addedTokenFinder(contents.map((content, id) => ({ id, content })));
      expect(find(read).map(({ start, end }) => [start, end])).toEqual(oneByOne(contents, read));
    }),
    { numRuns: 2000 },
  );
});

test("20,000 tokens, and a token of 60,000 letters, are found", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `<${`${i}`.padStart(100, "x")}>`);
  const long = `${"a".repeat(60_000)}b`;
  const find = addedTokenFinder([...many, long].map((content, id) => ({ id, content })));
  const found = find(`a${many[7]}${long}${many[19_999]}`);
  expect(found.map(({ token }) => token.id)).toEqual([7, 20_000, 19_999]);
});

test("a token as long as the text, and tokens that contain each other, are found in linear time", () => {
  const length = 400_000;
  const a = "a".repeat(length);
  const nested = Array.from({ length: 300 }, (_, i) => "a".repeat(i + 1));
  const find = addedTokenFinder([`${a}b`, ...nested].map((content, id) => ({ id, content })));
  const found = find(a);
  expect(found).toHaveLength(Math.ceil(length / 300));
  expect(found[0]).toEqual({ start: 0, end: 300, token: { id: 300, content: nested[299] } });
  expect(find(`${a}b`).map(({ token }) => token.id)).toEqual([0]);
});
