import fc from "fast-check";
import { expect, test } from "vitest";
import { cheapestPairs, type Pair } from "./contraction-order.js";

const sizes = new Map(Object.entries({ a: 30, b: 2, c: 30, d: 2, e: 5 }));

/** The multiplications of an order, counted by doing it. */
function costOf(operands: string[][], result: string[], pairs: readonly Pair[]): number {
  let cost = 0;
  for (const [i, j] of pairs) {
    const together = [...new Set([...operands[i]!, ...operands[j]!])];
    cost += together.reduce((product, label) => product * sizes.get(label)!, 1);
    const others = operands.filter((_, n) => n !== i && n !== j);
    const needed = new Set([...result, ...others.flat()]);
    operands = [...others, together.filter((label) => needed.has(label))];
  }
  expect(operands).toHaveLength(1);
  return cost;
}

test("golden: a chain is multiplied from the cheap end", () => {
  // (ab,bc),cd would be 30·2·30 + 30·30·2 = 3600 multiplications; ab,(bc,cd) is 2·30·2 + 30·2·2 = 240.
  const chain = [["a", "b"], ["b", "c"], ["c", "d"]]; // prettier-ignore
  expect(costOf(chain, ["a", "d"], cheapestPairs(chain, ["a", "d"], sizes))).toBe(240);
});

test("property: no dearer than from the left to the right, for any number of operands up to five", () => {
  const labels = fc.uniqueArray(fc.constantFrom(...sizes.keys()), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(labels, { minLength: 1, maxLength: 5 }), (operands) => {
      const result = [...new Set(operands.flat())].slice(0, 2);
      // The product of the first two goes to the end, so the next pair is the last and the first.
      const inOrder = operands
        .slice(1)
        .map((_, n): Pair => (n === 0 ? [0, 1] : [0, operands.length - n - 1]));
      const cheapest = costOf(operands, result, cheapestPairs(operands, result, sizes));
      expect(cheapest).toBeLessThanOrEqual(costOf(operands, result, inOrder));
    }),
  );
});

test("more than five operands: the cheapest pair goes first, and all are taken", () => {
  const many = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? ["b"] : ["a", "b"]));
  expect(() => costOf(many, [], cheapestPairs(many, [], sizes))).not.toThrow();
});
