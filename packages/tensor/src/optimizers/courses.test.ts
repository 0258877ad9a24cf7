import fc from "fast-check";
import { expect, test } from "vitest";
import { anneal, type AnnealShape } from "./anneal.js";
import { inverseSqrt } from "./inverse-sqrt.js";
import { oneCycle } from "./one-cycle.js";
import { constant } from "./schedules.js";
import { sequential } from "./sequential.js";
import { wsd } from "./wsd.js";

const shapes = fc.constantFrom<AnnealShape>("linear", "cosine", "exponential", "sqrt", 2, 0.5);
const rate = fc.double({ min: 0.01, max: 10, noNaN: true });

test("property: anneal goes monotonically from the first rate to the last, then stays constant", () => {
  fc.assert(
    fc.property(shapes, rate, rate, fc.integer({ min: 1, max: 30 }), (shape, from, to, steps) => {
      const schedule = anneal({ from, to, steps, shape });
      expect(schedule(0)).toBeCloseTo(from, 12);
      expect(schedule(steps)).toBe(to);
      expect(schedule(steps + 7)).toBe(to);
      for (let step = 0; step < steps; step++)
        expect(Math.sign(to - from) * (schedule(step + 1) - schedule(step))).toBeGreaterThanOrEqual(-1e-12);
    }),
  );
});

test("property: wsd is continuous between warm-up, stable phase and decay", () => {
  const count = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(count, fc.nat(9), count, shapes, (warmupSteps, stableSteps, decaySteps, decay) => {
      const schedule = wsd({ peak: 1, floor: 0.1, warmupSteps, stableSteps, decaySteps, decay });
      expect(schedule(0)).toBeCloseTo(0.1, 12);
      for (let step = 0; step <= stableSteps; step++) expect(schedule(warmupSteps + step)).toBeCloseTo(1, 12);
      expect(schedule(warmupSteps + stableSteps + decaySteps)).toBe(0.1);
    }),
  );
  expect(wsd({ peak: 1, warmupSteps: 0, stableSteps: 1, decaySteps: 1 })(0)).toBe(1);
});

test("golden: the middle of each schedule, computed by hand", () => {
  const half = (shape: AnnealShape) => anneal({ from: 1, to: 4, steps: 2, shape })(1);
  expect((["linear", "cosine", "exponential", 2] as const).map(half)).toEqual([2.5, 2.5, 2, 3.25]);
  expect(half("sqrt")).toBeCloseTo(1 + 3 * Math.SQRT1_2, 12);
  expect([0, 2, 8].map(inverseSqrt({ peak: 2, warmupSteps: 2 }))).toEqual([0, 2, 1]);
  const cycle = oneCycle({ peak: 1, steps: 10 });
  expect([0, 2].map(cycle)).toEqual([1 / 25, 1]);
  expect(cycle(9)).toBe(1 / 250_000);
  expect(cycle(20)).toBe(1 / 250_000);
});

test("sequential counts the steps of each schedule from 0, and skips one without steps", () => {
  const count = (step: number) => step;
  const schedule = sequential(
    [
      [count, 2],
      [constant(9), 0],
      [count, 3],
    ],
    (step) => 100 + step,
  );
  expect([0, 1, 2, 3, 4, 5, 6].map(schedule)).toEqual([0, 1, 0, 1, 2, 100, 101]);
});

// The numbers are those of OneCycleLR in PyTorch 2.6, with pct_start · steps − 1 steps up.
test.each([
  [
    { steps: 7 },
    [
      0.020000000000000018, 0.4902783136674793, 0.4595221881348553, 0.33634191824027254, 0.17886938786982853,
      0.0496483959466328, 2e-6,
    ],
  ],
  [
    { steps: 5, shape: "linear" as const },
    [0.02, 0.4285717142857143, 0.28571514285714283, 0.14285857142857145, 2.000000000002e-6],
  ],
  [{ steps: 3, warmupSteps: -1 }, [0.3750005, 0.12500150000000004, 2e-6]],
  [
    { steps: 4, warmupSteps: 3, shape: "linear" as const },
    [0.02, 0.17999999999999997, 0.33999999999999997, 0.5],
  ],
])("golden: one cycle with a warm-up that ends between steps, %o", (options, rates) => {
  const schedule = oneCycle({ peak: 0.5, ...options });
  rates.forEach((rate, step) => expect(schedule(step)).toBeCloseTo(rate, 12));
});

test("if a part ends between two steps, the next one begins with the remaining fraction of a step", () => {
  const schedule = sequential([[anneal({ from: 0, to: 3, steps: 1.5 }), 1.5]], (step) => 100 + step);
  expect([0, 1, 2, 3].map(schedule)).toEqual([0, 2, 100.5, 101.5]);
});

test("invalid schedules are refused, with the fix", () => {
  expect(() => anneal({ from: 0, to: 1, steps: 2, shape: "exponential" })).toThrow(
    /`from` is 0, expected a finite number, above 0.*\nFix: begin and end above 0/,
  );
  expect(() => anneal({ from: 0, to: 1, steps: 2, shape: "square" as never })).toThrow(/`shape` is "square"/);
  expect(() => anneal({ from: 0, to: 1, steps: 0 })).toThrow(/`steps` is 0/);
  expect(() => anneal({ from: 0, to: 1, steps: 1, shape: 0 })).toThrow(/`shape` is 0/);
  expect(() => sequential([constant(1)] as never, constant(1))).toThrow(/^sequential: `parts/);
  expect(() => sequential([[constant(1), 1]], 1 as never)).toThrow(/`last` is 1/);
  expect(() => oneCycle({ peak: 1, steps: 5, warmupSteps: 5 })).toThrow(
    /`warmupSteps` is 5, expected a finite number, -1 or more and at most 4/,
  );
  expect(() => oneCycle({ peak: 1, steps: 5, shape: "square" as never })).toThrow(
    /^oneCycle: `shape` is "square"/,
  );
  const phases = { peak: 1, warmupSteps: 1, stableSteps: 1, decaySteps: 1 };
  expect(() => wsd({ ...phases, decay: "square" as never })).toThrow(/^wsd: `decay` is "square"/);
  expect(() => wsd({ ...phases, warmup: "exponential" })).toThrow(/^wsd: `start` is 0/);
  expect(() => wsd({ peak: 1, warmupSteps: 1, stableSteps: 1, decaySteps: 0 })).toThrow(/`decaySteps` is 0/);
  expect(() => inverseSqrt({ peak: -1, warmupSteps: 1 })).toThrow(/`peak` is -1/);
});
