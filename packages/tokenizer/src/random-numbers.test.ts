import { expect, test } from "vitest";
import { randomNumbers } from "./random-numbers.js";

test("equal seeds give equal numbers, other seeds other numbers, uniformly distributed from 0 to 1", () => {
  const draw = (seed: number) => Array.from({ length: 10_000 }, randomNumbers(seed));
  const numbers = draw(1);
  expect(draw(1)).toEqual(numbers);
  expect(draw(2)).not.toEqual(numbers);
  const tenths = new Map<number, number>();
  for (const number of numbers) {
    const tenth = Math.floor(number * 10);
    tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
  }
  expect([...tenths.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  // 1000 each, and five standard deviations are 150.
  for (const count of tenths.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
