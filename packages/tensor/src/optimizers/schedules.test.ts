import fc from "fast-check";
import { expect, test } from "vitest";
import { constant, cosine, linearWarmup, warmupCosine } from "./schedules.js";

test("property: a warm-up and a cosine meet at the peak, then decrease to the minimum and stay there", () => {
  const count = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(count, count, fc.double({ min: 0.1, max: 1, noNaN: true }), (warmupSteps, more, peak) => {
      const floor = peak / 10;
      const rate = warmupCosine({ peak, floor, warmupSteps, steps: warmupSteps + more });
      for (let step = 0; step < warmupSteps; step++)
        expect(rate(step)).toBeCloseTo((peak * (step + 1)) / warmupSteps, 12);
      expect(rate(warmupSteps)).toBeCloseTo(peak, 12);
      for (let step = 0; step < more; step++)
        expect(rate(warmupSteps + step + 1)).toBeLessThan(rate(warmupSteps + step));
      expect(rate(warmupSteps + more)).toBe(floor);
      expect(rate(1e6)).toBe(floor);
    }),
  );
});

test("golden: by hand", () => {
  expect([0, 1, 2].map(constant(0.5))).toEqual([0.5, 0.5, 0.5]);
  expect([0, 1, 2, 3].map(linearWarmup(2, cosine({ peak: 4, steps: 2 })))).toEqual([2, 4, 4, 2]);
  expect(linearWarmup(0, 3)(0)).toBe(3);
});

test("counts and rates outside of their range are refused, with the fix", () => {
  expect(() => linearWarmup(-1, 1)).toThrow(
    /`steps` is -1, expected an integer number of updates.*\nFix: count calls of `update`/,
  );
  expect(() => cosine({ peak: 1, steps: 0 })).toThrow(
    /cosine: `steps` is 0, expected a finite number of updates, 1 or more/,
  );
  expect(() => cosine({ peak: -1, steps: 1 })).toThrow(/`peak` is -1/);
  expect(() => warmupCosine({ peak: 1, warmupSteps: 5, steps: 5 })).toThrow(
    /`steps` is 5, expected an integer number of updates, 6 or more.\nFix: `steps` has the 5 of the warm-up in it/,
  );
  expect(() => constant(NaN)).toThrow(/constant: `rate` is NaN/);
});
