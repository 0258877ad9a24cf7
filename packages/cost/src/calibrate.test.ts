import fc from "fast-check";
import { expect, test } from "vitest";
import { calibrate, type Sample } from "./calibrate.js";
import { bytesPerSecondAt } from "./machine.js";
import { measure } from "./measure.js";

type Speeds = { flopsPerSecond: number; overheadMs: number; bytesPerSecond(workingSetBytes: number): number };

/** The samples of a machine whose speeds are known. */
function createSamples({ flopsPerSecond, overheadMs, bytesPerSecond }: Speeds): Sample[] {
  let clockMs = 0;
  const run = ({ rows, width, matrices }: { rows: number; width: number; matrices: number }) => {
    const [flops, bytes] = [2 * rows * width ** 2, 4 * width ** 2 + 8 * rows * width];
    const speed = bytesPerSecond(4 * width ** 2 * matrices);
    clockMs += matrices * (overheadMs + 1000 * Math.max(flops / flopsPerSecond, bytes / speed));
  };
  return measure((work) => () => run(work), { now: () => clockMs });
}

test("property: calibrate recovers the speeds of generated samples", () => {
  fc.assert(
    fc.property(
      // As many operations a byte as separate one row from 256 of them.
      fc.double({ min: 2, max: 40, noNaN: true }),
      fc.double({ min: 1e9, max: 100e9, noNaN: true }),
      fc.double({ min: 0.0001, max: 0.01, noNaN: true }),
      (balance, speed, overheadMs) => {
        const flopsPerSecond = balance * speed;
        const machine = calibrate(createSamples({ flopsPerSecond, overheadMs, bytesPerSecond: () => speed }));
        expect(machine.flopsPerSecond / flopsPerSecond).toBeCloseTo(1, 2);
        expect(machine.bytesPerSecond / speed).toBeCloseTo(1, 2);
        expect(machine.overheadMs / overheadMs).toBeCloseTo(1, 1);
      },
    ),
    { numRuns: 20 },
  );
});

test("calibrate finds a cache three times as fast as memory, by working set", () => {
  const bytesPerSecond = (workingSetBytes: number) => (workingSetBytes < 3e6 ? 30e9 : 10e9);
  const machine = calibrate(createSamples({ flopsPerSecond: 100e9, overheadMs: 0.001, bytesPerSecond }));
  expect(bytesPerSecondAt(machine, 2e6) / 30e9).toBeCloseTo(1, 1);
  expect(bytesPerSecondAt(machine, 60e6) / 10e9).toBeCloseTo(1, 1);
  expect(machine.bytesPerSecond / 10e9).toBeCloseTo(1, 1);
  expect(bytesPerSecondAt(machine, 1e12)).toBe(machine.bytesPerSecond);
});

test("if no sample is memory-bound, the bandwidth is the highest measured one", () => {
  const machine = calibrate([1, 2, 3].map((n) => ({ flops: n * 1e9, bytes: 1e3, calls: n, timeMs: n })));
  expect(machine.bytesPerSecond).toBeGreaterThan(0);
  expect(machine.flopsPerSecond).toBeGreaterThanOrEqual(1e12 * 0.99);
});

test.each([
  [
    [],
    'calibrate: `samples` is "0 of them", expected three or more.\nFix: measure one that is compute-bound',
  ],
  [
    [1, 2, 3].map((n) => ({ flops: 1, bytes: 1, calls: 1, timeMs: n - 1 })),
    "calibrate: `samples[0].timeMs` is 0, expected a number above 0.\nFix: measure again",
  ],
])("insufficient or invalid samples are refused: %#", (samples, message) => {
  expect(() => calibrate(samples as Sample[])).toThrow(message);
});
