import fc from "fast-check";
import { expect, test } from "vitest";
import { splitSeed } from "./split-seed.js";

test("golden: seeds are numbered consecutively, by name or by count", () => {
  expect(splitSeed(5, ["query", "key"])).toEqual({ query: 10, key: 11 });
  expect(splitSeed(-1, 3)).toEqual([-3, -2, -1]);
  expect(splitSeed(2, ["a"], 12)).toEqual({ a: 24 });
  expect(splitSeed(2, 0)).toEqual([]);
});

test("property: different seeds that are split in the same way have no seed in common", () => {
  const seed = fc.integer({ min: -1000, max: 1000 });
  fc.assert(
    fc.property(seed, seed, fc.nat(8), fc.nat(8), (a, b, count, more) => {
      const parts = [...new Set([a, b])].flatMap((seed) => splitSeed(seed, count, count + more || 1));
      expect(new Set(parts).size).toBe(parts.length);
    }),
  );
});

test("a seed that is not an integer, and a stride `of` below the number of seeds, are refused", () => {
  expect(() => splitSeed(0.5, 2)).toThrow(/splitSeed: `seed` is 0.5, expected an integer/);
  expect(() => splitSeed(1, ["a", "b"], 1)).toThrow(/splitSeed: `of` is 1, expected .*2 or more/);
  expect(() => splitSeed(1, -1)).toThrow(/splitSeed: `parts` is -1/);
});
