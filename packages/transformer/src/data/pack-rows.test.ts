import fc from "fast-check";
import { expect, test } from "vitest";
import { packRows } from "./pack-rows.js";

const example = (length: number, name = 0) => ({
  ids: Array.from({ length }, (_, n) => name * 1000 + n),
  targets: Array.from({ length }, () => 1),
});

test("property: rows have every token once and at most T tokens", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      (lengths, T) => {
        const rows = packRows(
          lengths.map((length, name) => example(length, name)),
          T,
        );
        const tokens = rows
          .flat()
          .flatMap(({ example, first, length }) => Array.from(example.ids).slice(first, first + length));
        expect(tokens.sort((a, b) => a - b)).toEqual(
          lengths.flatMap((length, name) => example(length, name).ids),
        );
        for (const row of rows)
          expect(row.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(T);
      },
    ),
  );
});

test("property: if examples fit into a row, at most one row is half full or less", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 40 });
  fc.assert(
    fc.property(lengths, (list) => {
      const filled = packRows(
        list.map((length) => example(length)),
        8,
      ).map((row) => row.reduce((sum, { length }) => sum + length, 0));
      // Best fit opens a row only for an example that fits into no other, so no two rows fit into one.
      expect(filled.filter((tokens) => tokens <= 4).length).toBeLessThanOrEqual(1);
    }),
  );
});

test("golden: best fit chooses the fullest row with room", () => {
  // 5 and 6 begin rows of 8; 2 goes to the row of 6, 3 to that of 5, and 1 begins a new one.
  const rows = packRows(
    [5, 6, 2, 3, 1].map((length) => example(length)),
    8,
  );
  expect(rows.map((row) => row.map(({ length }) => length))).toEqual([[5, 3], [6, 2], [1]]);
});

test("parts of an example without a target are omitted", () => {
  const targets = [-100, -100, -100, 7, -100, -100];
  const rows = packRows([{ ids: [1, 2, 3, 4, 5, 6], targets }], 2);
  expect(rows.flat().map(({ first, length }) => [first, length])).toEqual([[2, 2]]);
});
