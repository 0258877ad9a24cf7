import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "../check-gradient.js";
import { count } from "../count.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { einsum } from "./einsum.js";
import { mul } from "./mul.js";
import { sum } from "./sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });

/** The definition: for every value of every letter, the product of the operands' numbers goes to the result's place. */
function loops(
  operands: string[],
  result: string,
  sizes: Record<string, number>,
  tensors: Tensor[],
): number[] {
  const letters = Object.keys(sizes);
  const place = (labels: string, values: Record<string, number>) =>
    [...labels].reduce((at, label) => at * sizes[label]! + values[label]!, 0);
  const out = new Array<number>([...result].reduce((n, label) => n * sizes[label]!, 1)).fill(0);
  const visit = (n: number, values: Record<string, number>): void => {
    if (n < letters.length) {
      for (let v = 0; v < sizes[letters[n]!]!; v++) visit(n + 1, { ...values, [letters[n]!]: v });
      return;
    }
    const product = operands.reduce((p, labels, i) => p * tensors[i]!.data[place(labels, values)]!, 1);
    out[place(result, values)]! += product;
  };
  visit(0, {});
  return out;
}

test("property: einsum equals nested loops", () => {
  const operand = fc
    .array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 3 })
    .map((list) => list.join(""));
  const equation = fc.record({
    operands: fc.array(operand, { minLength: 1, maxLength: 4 }),
    lengths: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }),
    order: fc.shuffledSubarray(["a", "b", "c", "d"]),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(equation, ({ operands, lengths, order, seed }) => {
      const used = [...new Set(operands.join(""))];
      const sizes = Object.fromEntries(used.map((label) => [label, lengths["abcd".indexOf(label)]!]));
      const result = order.filter((label) => used.includes(label)).join("");
      const tensors = operands.map((labels, i) =>
        random(
          [...labels].map((label) => sizes[label]!),
          seed + i,
        ),
      );
      const ours = einsum(`${operands.join(",")}->${result}`, ...tensors);
      expect(ours.shape).toEqual([...result].map((label) => sizes[label]));
      loops(operands, result, sizes, tensors).forEach((value, i) =>
        expect(ours.data[i]).toBeCloseTo(value, 9),
      );
    }),
  );
});

const a = tensor([
  [1, 2],
  [3, 4],
]);

test("golden: transpose, diagonal, trace, outer, dot and matrix products, by hand", () => {
  expect(einsum("ij->ji", a).toNested()).toEqual([
    [1, 3],
    [2, 4],
  ]);
  expect(einsum("ii->i", a).toNested()).toEqual([1, 4]);
  expect(einsum("iii", tensor([1, 0, 0, 0, 0, 0, 0, 5], { shape: [2, 2, 2] })).toNested()).toBe(6);
  expect(einsum("i,j->ij", tensor([1, 2]), tensor([3, 4])).toNested()).toEqual([
    [3, 4],
    [6, 8],
  ]);
  expect(einsum("i,i", tensor([1, 2]), tensor([3, 4])).toNested()).toBe(11);
  expect(einsum("ij, ij -> ", a, a).toNested()).toBe(30);
  expect(einsum("->", tensor(7)).toNested()).toBe(7);
  expect(einsum(",i", tensor(2), tensor([1, 2])).toNested()).toEqual([2, 4]);
  // Without an arrow: letters that occur once, in alphabetical order.
  expect(einsum("ba", a).toNested()).toEqual([
    [1, 3],
    [2, 4],
  ]);
});

test("`...` matches axes from the right, and axes of length 1 are broadcast", () => {
  const x = random([3, 1, 2, 4], 1);
  const y = random([5, 4, 6], 2);
  const product = einsum("...ij,...jk->...ik", x, y);
  expect(product.shape).toEqual([3, 5, 2, 6]);
  expect(einsum("...ij,...jk", x, y).toNested()).toEqual(product.toNested());
  const spread = { x: "vij", y: "wjk" };
  const whole = einsum(`${spread.x},${spread.y}->vwik`, random([3, 2, 4], 1), y);
  expect(product.data).toBeAllclose(whole.data, { rtol: 0, atol: 5e-13 });
  expect(einsum("...ii->...i", zeros([3, 5, 5])).shape).toEqual([3, 5]);
  expect(einsum("i...->...", zeros([3, 5, 4])).shape).toEqual([5, 4]);
  expect(einsum("ij,ij->i", zeros([2, 1]), zeros([2, 3])).shape).toEqual([2]);
});

test("operands are contracted in the order with the fewest multiplications", () => {
  const chain = () => einsum("ab,bc,cd->ad", zeros([30, 2]), zeros([2, 30]), zeros([30, 2]));
  // (ab,bc),cd would be 30·2·30 + 30·30·2 = 3600 multiplications; ab,(bc,cd) is 2·30·2 + 30·2·2 = 240.
  expect(count(chain).flops).toBe(2 * 240);
});

test("the gradient of each operand equals central differences", () => {
  const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
  const params = [random([2, 3, 3], 1), random([3, 4], 2), random([2, 4], 3)];
  const f = ([x, y, z]: Tensor[]) => weigh(einsum("bii,ij,bj->jb", x!, y!, z!));
  expect(() => checkGradient(f, params)).not.toThrow();
  expect(() =>
    checkGradient((x) => weigh(einsum("...ij,...kj->...ik", x, x)), random([2, 3, 2])),
  ).not.toThrow();
});

test("first and second gradients equal central differences, also for diagonals, broadcast axes and summed axes", () => {
  const weigh = (y: Tensor) => sum(mul(mul(y, y), random([...y.shape], 99)));
  const [x, y] = [random([2, 3, 3], 1), random([1, 3], 2)];
  const equations = ["bii,aj->ij", "bij,bj->b", "bii,ai->", "bij,ij->jib", "bij,aj"];
  for (const equation of equations) {
    const f = (x: Tensor, y: Tensor) => weigh(einsum(equation, x, y));
    expect(() => checkGradient((z) => f(z, y), x)).not.toThrow();
    expect(() => checkGradient((z) => f(x, z), y)).not.toThrow();
    const slope = grad((z: Tensor) => f(z, y));
    expect(() => checkGradient((z) => weigh(slope(z)), x, { tolerance: 1e-5 })).not.toThrow();
  }
});

test("malformed equations, and operands that do not fit them, are refused with the fix", () => {
  expect(() => einsum("i1,j", a, a)).toThrow(/`equation` is "i1,j".*\nFix: write it like "ij,jk->ik"/);
  expect(() => einsum("ij,jk", a)).toThrow(/expected an operand for each of the 1 tensors/);
  expect(() => einsum("ij->iij", a)).toThrow(/a result that names "i" once/);
  expect(() => einsum("ij->k", a)).toThrow(/a result that names "k" once, and only letters/);
  expect(() => einsum("ijk->i", a)).toThrow(/`tensors\[0\]` is "2 axes", expected 3, as "ijk" is written/);
  expect(() => einsum("...ijk->i", a)).toThrow(/expected at least 3/);
  expect(() => einsum("ij,jk", a, zeros([3, 2]))).toThrow(
    /has shape \[3, 2\], expected length 2 at axis 0, "j"/,
  );
  expect(() => einsum("i,i", zeros([2]), zeros([2], { dtype: "int32" }))).toThrow(
    /expected float32 like the first/,
  );
  expect(() => einsum("i", zeros([2], { dtype: "bool" }))).toThrow(
    /`tensors\[0\]` is "bool", expected numbers/,
  );
  expect(() => einsum("i", [1] as unknown as Tensor)).toThrow(/`tensors\[0\]`.*expected a tensor/);
});
