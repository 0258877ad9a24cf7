import fc from "fast-check";
import { expect, test } from "vitest";
import { cosineAnnealing, cosineRestarts } from "./cosine-annealing.js";
import { cosine } from "./schedules.js";

const rate = fc.double({ min: 0.01, max: 10, noNaN: true });
const rates = fc.tuple(rate, rate);

test("property: for five periods the rate is floor + (peak − floor) / 2 · (1 + cos(π · step / steps))", () => {
  fc.assert(
    fc.property(rates, fc.double({ min: 1, max: 20, noNaN: true }), ([peak, floor], steps) => {
      const schedule = cosineAnnealing({ peak, floor, steps });
      for (let step = 0; step <= 10 * steps; step++) {
        const expected = floor + ((peak - floor) / 2) * (1 + Math.cos((Math.PI * step) / steps));
        expect(schedule(step)).toBeCloseTo(expected, 9);
      }
    }),
  );
});

test("property: for five courses, each is the cosine of its own length", () => {
  fc.assert(
    fc.property(
      rates,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      ([peak, floor], steps, factor) => {
        const schedule = cosineRestarts({ peak, floor, steps, factor });
        let first = 0;
        for (let course = 0; course < 5; course++) {
          const length = steps * factor ** course;
          const own = cosine({ peak, floor, steps: length });
          for (let step = 0; step < length; step++) expect(schedule(first + step)).toBeCloseTo(own(step), 12);
          first += length;
        }
      },
    ),
  );
});

test("a course of no step, and one that shrinks, are refused", () => {
  expect(() => cosineAnnealing({ peak: 1, steps: 0 })).toThrow(/cosineAnnealing: `steps` is 0/);
  expect(() => cosineRestarts({ peak: 1, steps: 2, factor: 0.5 })).toThrow(
    /cosineRestarts: `factor` is 0\.5.*\nFix: give 2 to double each course/,
  );
});
