import fc from "fast-check";
import { expect, test } from "vitest";
import { operations, type Operation } from "./operations.js";

const all = Object.entries(operations) as [string, Operation][];
const number = fc.double({ min: 0.25, max: 3, noNaN: true });

test.each(all)(
  "%s has a gradient for each operand, equal to central differences, or none",
  (_, operation) => {
    const { arity, evaluate, gradients } = operation;
    expect([0, arity]).toContain(gradients.length);
    fc.assert(
      fc.property(number, number, number, (...x) => {
        const y = evaluate(...x);
        for (let operand = 0; operand < arity; operand++) {
          const moved = (by: number) =>
            evaluate(...(x.map((v, i) => (i === operand ? v + by : v)) as typeof x));
          const h = 1e-5;
          // A jump or a kink between the two points has no slope to compare with.
          if (Math.abs(moved(h) - 2 * y + moved(-h)) > 1e-7) continue;
          expect(gradients[operand]?.(2, y, ...x) ?? 0).toBeCloseTo((moved(h) - moved(-h)) / h, 3);
        }
      }),
    );
  },
);

test("no gradient comes from an infinite slope that none arrives at", () => {
  for (const [name, { evaluate, gradients }] of all) {
    for (const gradient of gradients) {
      if (gradient) expect(gradient(0, evaluate(0, 0, 0), 0, 0, 0), name).toBeCloseTo(0, 10);
    }
  }
});
