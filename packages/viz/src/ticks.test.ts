import fc from "fast-check";
import { expect, test } from "vitest";
import { ticks } from "./ticks.js";

test("property: ticks cover the range, rise evenly, and are few", () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      fc.pre(a === b || Math.abs(a - b) > 1e-3);
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const marks = ticks(low, high);
      const step = marks[1]! - marks[0]!;
      expect(marks[0]).toBeLessThanOrEqual(low + step * 1e-6);
      expect(marks.at(-1)).toBeGreaterThanOrEqual(high - step * 1e-6);
      expect(marks.length).toBeGreaterThanOrEqual(2);
      expect(marks.length).toBeLessThanOrEqual(7);
    }),
  );
});

test.each([
  [0, 1, [0, 0.5, 1]],
  [0, 0.3, [0, 0.1, 0.2, 0.3]],
  [5, 5, [0, 2, 4, 6]],
  [0, 0, [0, 0.5, 1]],
])("from %d to %d: %j", (low, high, expected) => {
  expect(ticks(low, high)).toEqual(expected);
});
