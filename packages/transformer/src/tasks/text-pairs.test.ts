import fc from "fast-check";
import { expect, test } from "vitest";
import { ascii } from "./ascii.js";
import { dates } from "./dates.js";
import { numberWords, spellNumber } from "./number-words.js";

test("property: a date is a day of the calendar, and its source says the same day", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(100_000), (seed, place) => {
      const { source, target } = dates({ seed })(place);
      expect(new Date(`${target}T00:00:00Z`).toISOString().slice(0, 10)).toBe(target);
      const dotted = /^(\d\d)\.(\d\d)\.(\d{4})$/.exec(source);
      const day = dotted
        ? `${dotted[3]}-${dotted[2]}-${dotted[1]}`
        : new Date(`${source} UTC`).toISOString().slice(0, 10);
      expect(day).toBe(target);
      expect(dates({ seed })(place)).toEqual({ source, target });
    }),
  );
});

test("all three ways of writing occur, and centuries at both ends", () => {
  const some = Array.from({ length: 300 }, (_, n) => dates({ seed: 4 })(n));
  for (const way of [/^\d\d?\s[A-Z][a-z]+ \d{4}$/, /^[A-Z][a-z]+ \d\d?, \d{4}$/, /^\d\d\.\d\d\.\d{4}$/]) {
    expect(some.filter(({ source }) => way.test(source)).length).toBeGreaterThan(50);
  }
  expect(some.some(({ target }) => target < "1920")).toBe(true);
  expect(some.some(({ target }) => target > "2080")).toBe(true);
});

test("golden: numbers as they are spelled", () => {
  expect([0, 13, 20, 48, 100, 305, 999].map(spellNumber)).toEqual([
    "zero",
    "thirteen",
    "twenty",
    "forty-eight",
    "one hundred",
    "three hundred five",
    "nine hundred ninety-nine",
  ]);
  expect(new Set(Array.from({ length: 1000 }, (_, n) => spellNumber(n))).size).toBe(1000);
  const { source, target } = numberWords({ seed: 2 })(7);
  expect(spellNumber(Number(source))).toBe(target);
});

test("property: letters come back from their ids", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      expect(ascii.decode([...ascii.encode(text), ascii.endId, 5])).toBe(text);
      expect(ascii.encode(text).every((id) => id >= 0 && id < ascii.startId)).toBe(true);
    }),
  );
});
