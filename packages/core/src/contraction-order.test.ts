import fc from "fast-check";
import { expect, test } from "vitest";
import { cheapestPairs, type Pair } from "./contraction-order.js";

const sizes = new Map(Object.entries({ a: 30, b: 2, c: 30, d: 2, e: 5 }));

/** Number of multiplications of a contraction order. */
function countMultiplications(operands: string[][], result: string[], pairs: readonly Pair[]): number {
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

test("golden: a chain of matrices is multiplied from the cheaper end", () => {
  // (ab,bc),cd would be 30·2·30 + 30·30·2 = 3600 multiplications; ab,(bc,cd) is 2·30·2 + 30·2·2 = 240.
  const chain = [["a", "b"], ["b", "c"], ["c", "d"]]; // prettier-ignore
  expect(countMultiplications(chain, ["a", "d"], cheapestPairs(chain, ["a", "d"], sizes))).toBe(240);
});

test("property: up to five operands, an order costs at most as much as multiplying from left to right", () => {
  const labels = fc.uniqueArray(fc.constantFrom(...sizes.keys()), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(labels, { minLength: 1, maxLength: 5 }), (operands) => {
      const result = [...new Set(operands.flat())].slice(0, 2);
      // The product of the first two is appended, so the next pair is the last and the first.
      const inOrder = operands
        .slice(1)
        .map((_, n): Pair => (n === 0 ? [0, 1] : [0, operands.length - n - 1]));
      const cheapest = countMultiplications(operands, result, cheapestPairs(operands, result, sizes));
      expect(cheapest).toBeLessThanOrEqual(countMultiplications(operands, result, inOrder));
    }),
  );
});

test("with more than five operands, the cheapest pair is multiplied first, and all operands are used", () => {
  const many = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? ["b"] : ["a", "b"]));
  expect(() => countMultiplications(many, [], cheapestPairs(many, [], sizes))).not.toThrow();
});
