import fc from "fast-check";
import { expect, test } from "vitest";
import { cachePages } from "./cache-pages.js";

const two = {
  pages: 6,
  pageLength: 4,
  table: [
    [0, 1, 4],
    [0, 2],
  ],
  lengths: [9, 6],
};
const count = (svg: string, text: string) => svg.split(text).length - 1;

test("property: every token fills one cell in its sequence and one in the pool", () => {
  const sequence = fc.array(fc.nat(9), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(sequence, { maxLength: 3 }),
      fc.nat(3),
      (pageLength, all, missing) => {
        // Each page is held by one sequence, as `number of the page` modulo their count says.
        const table = all.map((pages, b) => [...new Set(pages)].filter((page) => page % all.length === b));
        const lengths = table.map((own) =>
          Math.max(0, own.length * pageLength - Math.min(missing, pageLength - 1)),
        );
        const svg = cachePages({ pages: 10, pageLength, table, lengths });
        const tokens = lengths.reduce((a, b) => a + b, 0);
        expect(count(svg, 'class="qkv-fill-key"')).toBe(2 * tokens);
        const used = table.flat().length;
        expect(svg).toContain(`pool: ${used} of 10 pages used`);
        expect(count(svg, ", free")).toBe(10 - used);
      },
    ),
  );
});

test("a shared page has the number of its sequences", () => {
  const svg = cachePages(two, { labels: ["a", "b"] });
  expect(svg).toContain("page 0, shared by 2: tokens 0 to 3 of a");
  expect(svg).toContain("page 4: tokens 8 to 8 of a");
  expect(count(svg, "×2")).toBe(3); // with each sequence, and in the pool
});

test("golden: two sequences that share a beginning, reviewed as a picture", async () => {
  const tokens = [[..."the cat s"], [..."the do"]];
  const svg = cachePages(two, {
    labels: ["first", "second"],
    tokens,
    remembered: [5],
    title: "Pages of two texts",
  });
  await expect(svg).toMatchFileSnapshot("../snapshots/cache-pages.svg");
});

test.each([
  [{ ...two, table: [[0, 6], [1]] }, {}, "cachePages: `table` is 6, expected pages from 0 to 5"],
  [{ ...two, lengths: [1] }, {}, '`lengths` is "1 of them", expected 2'],
  [two, { labels: ["a"] }, '`labels` is "1 of them", expected 2'],
  [two, { tokens: [] }, '`tokens` is "0 of them", expected 2'],
])("inconsistent arguments are refused (%#)", (cache, options, message) => {
  expect(() => cachePages(cache, options)).toThrow(message);
});
