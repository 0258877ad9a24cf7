import fc from "fast-check";
import { expect, test } from "vitest";
import { ascii } from "./ascii.js";
import { dates } from "./dates.js";
import { numberWords, spellNumber } from "./number-words.js";

test("property: the target is a valid ISO date, and the source is the same date", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(100_000), (seed, index) => {
      const { source, target } = dates({ seed })(index);
      expect(new Date(`${target}T00:00:00Z`).toISOString().slice(0, 10)).toBe(target);
      const dotted = /^(\d\d)\.(\d\d)\.(\d{4})$/.exec(source);
      const day = dotted
        ? `${dotted[3]}-${dotted[2]}-${dotted[1]}`
        : new Date(`${source} UTC`).toISOString().slice(0, 10);
      expect(day).toBe(target);
      expect(dates({ seed })(index)).toEqual({ source, target });
    }),
  );
});

test("all three date formats occur, and years before 1920 and after 2080", () => {
  const pairs = Array.from({ length: 300 }, (_, n) => dates({ seed: 4 })(n));
  for (const format of [/^\d\d?\s[A-Z][a-z]+ \d{4}$/, /^[A-Z][a-z]+ \d\d?, \d{4}$/, /^\d\d\.\d\d\.\d{4}$/]) {
    expect(pairs.filter(({ source }) => format.test(source)).length).toBeGreaterThan(50);
  }
  expect(pairs.some(({ target }) => target < "1920")).toBe(true);
  expect(pairs.some(({ target }) => target > "2080")).toBe(true);
});

test("golden: spellNumber of 0 to 999, and numberWords gives such pairs", () => {
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

test("property: ascii.decode of ascii.encode gives the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
      expect(ascii.decode([...ascii.encode(text), ascii.endId, 5])).toBe(text);
      expect(ascii.encode(text).every((id) => id >= 0 && id < ascii.startId)).toBe(true);
    }),
  );
});
