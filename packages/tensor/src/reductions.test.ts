import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "./check-gradient.js";
import { tensor, zeros } from "./create.js";
import { grad } from "./grad.js";
import { all } from "./ops/all.js";
import { any } from "./ops/any.js";
import { argmax } from "./ops/argmax.js";
import { argmin } from "./ops/argmin.js";
import { cast } from "./ops/cast.js";
import { cumsum } from "./ops/cumsum.js";
import { logSumExp } from "./ops/log-sum-exp.js";
import { max } from "./ops/max.js";
import { mean } from "./ops/mean.js";
import { min } from "./ops/min.js";
import { mul } from "./ops/mul.js";
import { norm } from "./ops/norm.js";
import { permute } from "./ops/permute.js";
import { prod } from "./ops/prod.js";
import { std } from "./ops/std.js";
import { sum } from "./ops/sum.js";
import { variance } from "./ops/variance.js";
import { randn } from "./random/randn.js";
import type { ReduceOptions } from "./reduce.js";
import type { Tensor } from "./tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const average = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
const populationVariance = (list: number[]) => average(list.map((x) => (x - average(list)) ** 2));

type Reduction = (x: Tensor, options?: ReduceOptions) => Tensor;
const reductions: [string, Reduction, (list: number[]) => number][] = [
  ["sum", sum, (list) => list.reduce((a, b) => a + b, 0)],
  ["mean", mean, average],
  ["variance", variance, (list) => (populationVariance(list) * list.length) / (list.length - 1)],
  ["variance without correction", (x, o) => variance(x, { ...o, correction: 0 }), populationVariance],
  ["std", std, (list) => Math.sqrt((populationVariance(list) * list.length) / (list.length - 1))],
  ["max", max, (list) => Math.max(...list)],
  ["min", min, (list) => Math.min(...list)],
  ["argmax", argmax, (list) => list.indexOf(Math.max(...list))],
  ["argmin", argmin, (list) => list.indexOf(Math.min(...list))],
  ["logSumExp", logSumExp, (list) => Math.log(list.reduce((a, x) => a + Math.exp(x), 0))],
  ["norm", norm, (list) => Math.hypot(...list)],
  [
    "norm of order 1",
    (x, o) => norm(x, { ...o, order: 1 }),
    (list) => list.reduce((a, x) => a + Math.abs(x), 0),
  ],
  [
    "norm of order ∞",
    (x, o) => norm(x, { ...o, order: Infinity }),
    (list) => Math.max(...list.map(Math.abs)),
  ],
  ["prod", prod, (list) => list.reduce((a, b) => a * b, 1)],
];
const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
test.each(reductions)("property: %s over any axes of any view equals a loop over lists", (_, op, of) => {
  fc.assert(
    fc.property(shapes, fc.nat(15), fc.boolean(), fc.integer(), (shape, bits, keepDims, seed) => {
      // A permuted view: the axes in reverse.
      const x = permute(
        random(shape, seed),
        shape.map((_, axis) => shape.length - 1 - axis),
      );
      const axis = x.shape.flatMap((_, a) => (bits & (1 << a) ? [a] : []));
      const y = op(x, { axis, keepDims });
      expect(y.shape).toEqual(
        x.shape.flatMap((length, a) => (axis.includes(a) ? (keepDims ? [1] : []) : [length])),
      );
      const lists = new Map<string, number[]>();
      x.data.forEach((value, i) => {
        const place = x.shape.map((length, a) => {
          const inner = x.shape.slice(a + 1).reduce((p, n) => p * n, 1);
          return axis.includes(a) ? 0 : Math.floor(i / inner) % length;
        });
        lists.set(String(place), [...(lists.get(String(place)) ?? []), value]);
      });
      const expected = [...lists.values()].map(of);
      expect(y.data).toBeAllclose(expected, { rtol: 0, atol: 5e-11, equalNan: true });
    }),
  );
});

test.each<[string, (x: Tensor) => Tensor, number[]]>([
  ["mean", (x) => mean(x, { axis: [0, -1], keepDims: true }), [2, 3, 4]],
  ["mean of all", mean, [2, 3]],
  ["variance", (x) => variance(x, { axis: 1 }), [2, 4]],
  ["variance without correction", (x) => variance(x, { correction: 0 }), [2, 3]],
  ["std", (x) => std(x, { axis: 1, keepDims: true }), [2, 4]],
  ["max", (x) => max(x, { axis: 1 }), [2, 4]],
  ["min of all", min, [2, 3]],
  ["logSumExp", (x) => logSumExp(x, { axis: [0, 2] }), [2, 3, 2]],
  ["norm", (x) => norm(x, { axis: 0 }), [3, 2]],
  ["norm of order 1", (x) => norm(x, { axis: 0, order: 1 }), [3, 2]],
  ["norm of order ∞", (x) => norm(x, { axis: 0, order: Infinity }), [3, 2]],
  ["prod", (x) => prod(x, { axis: [0, 2] }), [3, 2, 3]],
  ["cumsum", (x) => cumsum(x, 1), [2, 3, 2]],
  ["cumsum, exclusive, reverse", (x) => cumsum(x, 0, { exclusive: true, reverse: true }), [4, 2]],
])("the gradient of %s equals central differences, and so does the second", (_, f, shape) => {
  const x = random(shape);
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
  const slope = (z: Tensor) => weigh(grad((y: Tensor) => weigh(f(y)))(z));
  expect(() => checkGradient(slope, x, { tolerance: 1e-5 })).not.toThrow();
});

test("equal maxima share the gradient evenly", () => {
  const x = tensor([
    [3, 1, 3],
    [2, 2, 2],
  ]);
  expect(grad((z: Tensor) => sum(max(z, { axis: 1 })))(x).data).toEqual(
    new Float32Array([0.5, 0, 0.5, 1 / 3, 1 / 3, 1 / 3]),
  );
  expect(grad((z: Tensor) => sum(min(z, { axis: 1 })))(x).data).toEqual(
    new Float32Array([0, 1, 0, 1 / 3, 1 / 3, 1 / 3]),
  );
});

test("gradients are finite where their formula divides by zero", () => {
  expect(grad(norm)(zeros([2])).toNested()).toEqual([0, 0]);
  expect(grad((z: Tensor) => std(z))(tensor([3, 3])).toNested()).toEqual([0, 0]);
  expect(grad(prod)(tensor([2, 0, 3])).toNested()).toEqual([0, 6, 0]);
  expect(grad(prod)(tensor([0, 0, 3])).toNested()).toEqual([0, 0, 0]);
  const nothing = tensor([
    [-Infinity, -Infinity],
    [0, -Infinity],
  ]);
  expect(grad((z: Tensor) => sum(logSumExp(z, { axis: 1 })))(nothing).toNested()).toEqual([
    [0, 0],
    [1, 0],
  ]);
});

test("max and min of NaN are NaN, argmax is the first of equal numbers, and infinities are ordinary numbers", () => {
  const x = tensor([
    [1, NaN, 3, NaN],
    [2, 5, 5, 2],
  ]);
  expect(max(x, { axis: 1 }).toNested()).toEqual([NaN, 5]);
  expect(min(x, { axis: 1 }).toNested()).toEqual([NaN, 2]);
  expect(argmax(x, { axis: 1 }).toNested()).toEqual([1, 1]);
  expect(argmin(x, { axis: 1 }).toNested()).toEqual([1, 0]);
  expect(argmax(tensor([-Infinity, -Infinity])).toNested()).toBe(0);
  expect(argmax(x).dtype).toBe("int32");
  const rows = tensor(
    [
      [1000, 1000],
      [-Infinity, -Infinity],
      [Infinity, 0],
      [NaN, 0],
    ],
    { dtype: "float64" },
  );
  expect(logSumExp(rows, { axis: 1 }).toNested()).toEqual([1000 + Math.LN2, -Infinity, Infinity, NaN]);
});

test("sums are accumulated in float64, and the variance is accurate for a large mean", () => {
  const many = tensor(new Float32Array(100_000).fill(0.1));
  expect(sum(many).toNested()).toBe(Math.fround(100_000 * Math.fround(0.1)));
  expect(mean(many).toNested()).toBe(Math.fround(0.1));
  const shifted = tensor([1e6, 1e6 + 1, 1e6 + 2]);
  expect(variance(shifted).toNested()).toBe(1);
  expect(variance(tensor([5])).toNested()).toBeNaN();
  expect(std(tensor([5])).toNested()).toBeNaN();
  expect(() => std(tensor([5]), { ddof: 1 } as never)).toThrow(/^std: `ddof` is 1/);
});

test("empty sums, products and logical reductions are defined, an empty maximum is refused", () => {
  const none = zeros([2, 0]);
  const rows = { axis: 1 };
  expect([sum, prod, any, all].map((op) => op(none, rows).toNested())).toEqual([
    [0, 0],
    [1, 1],
    [false, false],
    [true, true],
  ]);
  expect(logSumExp(none, rows).toNested()).toEqual([-Infinity, -Infinity]);
  expect(mean(none, rows).toNested()).toEqual([NaN, NaN]);
  for (const op of [max, min, argmax, argmin]) {
    expect(() => op(none, rows)).toThrow(
      /`x` has shape \[2, 0\], expected at least one element along the reduced axes/,
    );
    expect(op(none, { axis: 0 }).shape).toEqual([0]);
  }
});

test("golden: any and all, of bools and of numbers", () => {
  const x = tensor([
    [0, 2, NaN],
    [0, 0, 0],
    [1, 1, 1],
  ]);
  for (const rows of [x, cast(x, "bool")]) {
    expect(any(rows, { axis: 1 }).toNested()).toEqual([true, false, true]);
    expect(all(rows, { axis: 1 }).toNested()).toEqual([false, false, true]);
    expect(any(rows).dtype).toBe("bool");
  }
  expect(sum(cast(x, "bool")).toNested()).toBe(5);
  expect(sum(cast(x, "bool")).dtype).toBe("int32");
  expect(sum(tensor([100, 100], { dtype: "int8" })).toNested()).toBe(-56);
});

test("golden: cumsum in each direction", () => {
  const x = tensor([
    [1, 2, 3],
    [10, 20, 30],
  ]);
  expect(cumsum(x, 1).toNested()).toEqual([
    [1, 3, 6],
    [10, 30, 60],
  ]);
  expect(cumsum(x, 0).toNested()).toEqual([
    [1, 2, 3],
    [11, 22, 33],
  ]);
  expect(cumsum(x, -1, { exclusive: true }).toNested()).toEqual([
    [0, 1, 3],
    [0, 10, 30],
  ]);
  expect(cumsum(x, 1, { reverse: true }).toNested()).toEqual([
    [6, 5, 3],
    [60, 50, 30],
  ]);
  expect(cumsum(x, 1, { exclusive: true, reverse: true }).toNested()).toEqual([
    [5, 3, 0],
    [50, 30, 0],
  ]);
});

test("invalid arguments are refused, with the fix", () => {
  expect(() => sum(zeros([2]), { axis: 1 })).toThrow(
    "sum: `axis` is 1, expected an axis of a tensor of rank 1: an integer from -1 to 0.\nFix: count axes from 0",
  );
  expect(() => max(zeros([2, 2]), { axis: [0, -2] })).toThrow(
    /max: `axis` is "0, -2", expected each axis once/,
  );
  expect(() => norm(zeros([2]), { order: 3 })).toThrow(/norm: `order` is 3, expected 1, 2 or Infinity/);
  for (const op of [mean, variance, logSumExp, norm]) {
    expect(() => op(zeros([2], { dtype: "int32" }))).toThrow(
      /`dtype` is "int32", expected float32 or float64/,
    );
  }
});
