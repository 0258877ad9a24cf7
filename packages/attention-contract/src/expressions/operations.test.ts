import fc from "fast-check";
import { expect, test } from "vitest";
import { operations, type Operation } from "./operations.js";

const allOperations = Object.entries(operations) as [string, Operation][];
const number = fc.double({ min: 0.25, max: 3, noNaN: true });

type Operands = [number, number, number];
const row = (x: number) => Float64Array.of(x);

/** Runs a function of rows for rows of one number, and returns the number that it writes. */
function resultOf(
  f: (to: Float64Array, rows: [Float64Array, Float64Array, Float64Array]) => void,
  x: Operands,
): number {
  const to = row(0);
  f(to, [row(x[0]), row(x[1]), row(x[2])]);
  return to[0]!;
}

test.each(allOperations)(
  "%s has a gradient for each operand, equal to central differences, or none",
  (_, operation) => {
    const { arity, gradients } = operation;
    const evaluate = (...x: Operands) => resultOf((y, rows) => operation.evaluate(1, y, ...rows), x);
    expect([0, arity]).toContain(gradients.length);
    fc.assert(
      fc.property(number, number, number, (...x) => {
        const y = evaluate(...x);
        for (let operand = 0; operand < arity; operand++) {
          const evaluateShifted = (shift: number) =>
            evaluate(...(x.map((v, i) => (i === operand ? v + shift : v)) as typeof x));
          const h = 1e-5;
          // At a jump or a kink between the two points, central differences do not approximate the derivative.
          if (Math.abs(evaluateShifted(h) - 2 * y + evaluateShifted(-h)) > 1e-7) continue;
          // The gradient of the output is 2, so the gradient of the operand is twice the derivative.
          const gradientValue = resultOf(
            (dx, rows) => gradients[operand]?.(1, dx, row(2), row(y), ...rows),
            x,
          );
          expect(gradientValue).toBeCloseTo((evaluateShifted(h) - evaluateShifted(-h)) / h, 3);
        }
      }),
    );
  },
);

test("a gradient of 0 stays 0 where the derivative is infinite", () => {
  for (const [name, { evaluate, gradients }] of allOperations) {
    const y = resultOf((out, rows) => evaluate(1, out, ...rows), [0, 0, 0]);
    for (const gradient of gradients) {
      const gradientValue = resultOf((dx, rows) => gradient?.(1, dx, row(0), row(y), ...rows), [0, 0, 0]);
      expect(gradientValue, name).toBeCloseTo(0, 10);
    }
  }
});

test.each(["min", "max"] as const)(
  "for equal operands, the gradient of %s goes to the first one only",
  (name) => {
    const { gradients } = operations[name] as Operation;
    const gradientValues = gradients.map((gradient) =>
      resultOf((dx, rows) => gradient!(1, dx, row(2), row(1), ...rows), [1, 1, 0]),
    );
    expect(gradientValues).toEqual([2, 0]);
  },
);

test.each(allOperations)("%s writes exactly the first n numbers of a row", (_, { evaluate, gradients }) => {
  const rows = [1, 2, 3].map((x) => Float64Array.of(x, x)) as [Float64Array, Float64Array, Float64Array];
  const y = Float64Array.of(7, 7);
  evaluate(1, y, ...rows);
  expect(y[1]).toBe(7);
  for (const gradient of gradients) {
    const dx = Float64Array.of(7, 7);
    gradient?.(1, dx, Float64Array.of(1, 1), y, ...rows);
    expect(dx[1]).toBe(7);
  }
});

test("not, and, or: truth tables", () => {
  const value = (name: "not" | "and" | "or", a: number, b = 0) =>
    resultOf((y, rows) => (operations[name] as Operation).evaluate(1, y, ...rows), [a, b, 0]);
  const pairs = [
    [0, 0],
    [0, 2],
    [2, 0],
    [2, 2],
  ] as const;
  expect([value("not", 0), value("not", 2)]).toEqual([1, 0]);
  expect(pairs.map(([a, b]) => value("and", a, b))).toEqual([0, 0, 0, 1]);
  expect(pairs.map(([a, b]) => value("or", a, b))).toEqual([0, 1, 1, 1]);
});

test("the gradient of where goes to the selected operand", () => {
  const gradientValues = (condition: number) =>
    (operations.where as Operation).gradients.map((gradient) =>
      resultOf((dx, rows) => gradient?.(1, dx, row(2), row(1), ...rows), [condition, 1, 1]),
    );
  expect([gradientValues(3), gradientValues(0)]).toEqual([
    [0, 2, 0],
    [0, 0, 2],
  ]);
});
