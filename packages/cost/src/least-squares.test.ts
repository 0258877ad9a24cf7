import fc from "fast-check";
import { expect, test } from "vitest";
import { nonNegativeLeastSquares } from "./least-squares.js";

// Tenths, since most of the doubles that fast-check draws are nearly 0.
const number = fc.integer({ min: 0, max: 40 }).map((tenths) => tenths / 10);
const rows = fc
  .integer({ min: 1, max: 4 })
  .chain((columns) =>
    fc.array(fc.array(number, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 6 }),
  );
/** The sum of squared residuals; the target of each row is 1. */
const squaredError = (rows: number[][], x: number[]) =>
  rows.reduce((sum, row) => sum + (row.reduce((total, value, j) => total + value * x[j]!, 0) - 1) ** 2, 0);

test("property: no small step within x ≥ 0 reduces the squared error", () => {
  fc.assert(
    fc.property(
      rows,
      fc.array(fc.double({ min: -1e-3, max: 1e-3, noNaN: true }), { minLength: 4 }),
      (rows, step) => {
        const x = nonNegativeLeastSquares(rows);
        expect(x.every((value) => value >= 0)).toBe(true);
        const moved = x.map((value, j) => Math.max(0, value + step[j]!));
        expect(squaredError(rows, moved)).toBeGreaterThanOrEqual(squaredError(rows, x) - 1e-7);
      },
    ),
  );
});

test("property: no small step of one variable alone, within x ≥ 0, reduces the squared error", () => {
  fc.assert(
    fc.property(rows, fc.nat(3), fc.constantFrom(-1e-3, 1e-3), (rows, index, step) => {
      const x = nonNegativeLeastSquares(rows);
      const j = index % x.length;
      const moved = x.with(j, Math.max(0, x[j]! + step));
      expect(squaredError(rows, moved)).toBeGreaterThanOrEqual(squaredError(rows, x) - 1e-7);
    }),
  );
});

test("golden: a variable whose unconstrained solution is negative is 0", () => {
  // Without the constraint, x = [2, -1].
  expect(
    nonNegativeLeastSquares([
      [1, 1],
      [1, 1],
      [0.5, 0],
    ])[1],
  ).toBe(0);
  expect(
    nonNegativeLeastSquares([
      [0.25, 0],
      [0, 4],
    ]),
  ).toEqual([4, 0.25]);
});
