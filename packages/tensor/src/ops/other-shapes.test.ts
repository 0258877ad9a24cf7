import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { allClose } from "./all-close.js";
import { clone } from "./clone.js";
import { einsum } from "./einsum.js";
import { flatten } from "./flatten.js";
import { item } from "./item.js";
import { maskedFill } from "./masked-fill.js";
import { moveAxis } from "./move-axis.js";
import { mul } from "./mul.js";
import { nonzero } from "./nonzero.js";
import { permute } from "./permute.js";
import { stack } from "./stack.js";
import { sum } from "./sum.js";
import { take } from "./take.js";
import { tensordot } from "./tensordot.js";
import { transpose } from "./transpose.js";
import { unique } from "./unique.js";
import { unstack } from "./unstack.js";
import { write } from "./write.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const shapes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 });

test("property: stack undoes unstack, along any axis", () => {
  fc.assert(
    fc.property(shapes, fc.nat(3), fc.integer(), (shape, at, seed) => {
      const axis = at % shape.length;
      const x = permute(
        random(shape, seed),
        shape.map((_, a) => shape.length - 1 - a),
      );
      expect(stack(unstack(x, axis), axis).toNested()).toEqual(x.toNested());
    }),
  );
});

test("property: moveAxis is undone by moving the axis back; the other axes keep their order", () => {
  fc.assert(
    fc.property(shapes, fc.nat(3), fc.nat(3), (shape, a, b) => {
      const [from, to] = [a % shape.length, b % shape.length];
      const x = zeros(shape.map((_, axis) => axis + 2));
      const moved = moveAxis(x, from, to);
      expect(moved.shape[to]).toBe(from + 2);
      expect(moved.shape.filter((length) => length !== from + 2)).toEqual(
        x.shape.filter((_, axis) => axis !== from),
      );
      expect(moveAxis(moved, to, from).shape).toEqual(x.shape);
      expect(moved.storage).toBe(x.storage);
    }),
  );
});

test("property: tensordot equals einsum", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }),
      fc.integer(),
      ([i, j, k, l], seed) => {
        const [a, b] = [random([i!, j!, k!], seed), random([j!, k!, l!], seed + 1)];
        const near = { rtol: 0, atol: 1e-12 };
        expect(tensordot(a, b)).toBeAllclose(einsum("ijk,jkl->il", a, b), near);
        expect(
          tensordot(a, transpose(b, 0, 1), [
            [2, 1],
            [0, 1],
          ]),
        ).toBeAllclose(einsum("ijk,jkl->il", a, b), near);
        expect(tensordot(a, b, [[1], [0]])).toBeAllclose(einsum("ijk,jml->ikml", a, b), near);
        expect(tensordot(a, b, 0).shape).toEqual([i, j, k, j, k, l]);
      },
    ),
    { numRuns: 30 },
  );
});

test("property: unique returns the distinct numbers, their counts and the inverse", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 20 }), (list) => {
      const x = tensor(list, { shape: [list.length], dtype: "int32" });
      const { values, inverse, counts } = unique(x);
      expect([...values.data]).toEqual([...new Set(list)].sort((a, b) => a - b));
      expect([...take(values, 0, inverse).data]).toEqual(list);
      expect([...counts.data]).toEqual(
        [...values.data].map((value) => list.filter((one) => one === value).length),
      );
      expect([values.dtype, inverse.dtype, counts.dtype]).toEqual(["int32", "int32", "int32"]);
      expect((nonzero(x).toNested() as number[][]).flat()).toEqual(
        list.flatMap((value, i) => (value === 0 ? [] : [i])),
      );
    }),
  );
  expect(unique(tensor([NaN, 1, NaN])).values.toNested()).toEqual([1, NaN, NaN]);
  expect(
    nonzero(
      tensor([
        [0, NaN],
        [3, 0],
      ]),
    ).toNested(),
  ).toEqual([
    [0, 1],
    [1, 0],
  ]);
  expect(nonzero(transpose(tensor([[0, 5, 6]]))).toNested()).toEqual([
    [1, 0],
    [2, 0],
  ]);
});

test.each<[string, (x: Tensor) => Tensor]>([
  ["unstack", (x) => mul(unstack(x, 1)[0]!, unstack(x, 1)[2]!)],
  ["moveAxis", (x) => moveAxis(x, 0, -1)],
  ["flatten", (x) => flatten(x, { start: 1 })],
  ["clone", clone],
  ["maskedFill", (x) => maskedFill(x, tensor([true, false]), 3)],
  [
    "tensordot",
    (x) =>
      tensordot(x, mul(x, x), [
        [0, 2],
        [0, 2],
      ]),
  ],
])("the gradient of %s equals central differences", (_, f) => {
  expect(() => checkGradient((z) => weigh(f(z)), random([2, 3, 2]))).not.toThrow();
});

test("a copy has its own storage, in row-major order", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const copy = clone(transpose(x));
  write(x, 0, 0, zeros([2, 2]));
  expect(copy.toNested()).toEqual([
    [1, 3],
    [2, 4],
  ]);
  expect(clone(x).storage).not.toBe(x.storage);
});

test("item returns the single element of a tensor; flatten joins axes", () => {
  expect(item(tensor([[7]]))).toBe(7);
  expect(item(tensor([true]))).toBe(true);
  expect(item(tensor([1.5], { dtype: "float16" }))).toBe(1.5);
  expect(flatten(tensor(3)).toNested()).toEqual([3]);
  expect(flatten(zeros([2, 3, 4]), { end: 1 }).shape).toEqual([6, 4]);
});

test("isClose accepts differences within both tolerances, equal infinities, and NaN with equalNan", () => {
  const near = (a: number[], b: number[], options = {}) =>
    item(allClose(tensor(a, { dtype: "float64" }), tensor(b, { dtype: "float64" }), options));
  expect(near([1, 100], [1.1, 110], { rtol: 0.1 })).toBe(true);
  expect(near([1, 100], [1.1, 120], { rtol: 0.1 })).toBe(false);
  expect(near([0], [0.5], { atol: 0.5, rtol: 0 })).toBe(true);
  expect(near([Infinity, -Infinity], [Infinity, -Infinity])).toBe(true);
  expect([near([1], [Infinity]), near([Infinity], [1]), near([-Infinity], [Infinity])]).toEqual([
    false,
    false,
    false,
  ]);
  expect([
    near([NaN], [NaN]),
    near([NaN], [NaN], { equalNan: true }),
    near([NaN], [1], { equalNan: true }),
  ]).toEqual([false, true, false]);
});

test("invalid arguments are refused, with the fix", () => {
  expect(() => item(zeros([2]))).toThrow(/`x` has shape \[2\], expected one number.\nFix: reduce it/);
  expect(() => flatten(zeros([2, 2]), { start: 1, end: 0 })).toThrow(
    /`start` is 1, expected an axis up to 0/,
  );
  expect(() => moveAxis(zeros([2]), 0, 1)).toThrow(/`to` is 1/);
  expect(() => unstack(tensor(1))).toThrow(/^unstack: `axis` is 0/);
  expect(() => maskedFill(zeros([2]), zeros([2]), 0)).toThrow(/expected bool/);
  expect(() => tensordot(zeros([2, 3]), zeros([2, 3]))).not.toThrow();
  expect(() => tensordot(zeros([2, 3]), zeros([2, 3]), 1)).toThrow(
    /`b` has shape \[2, 3\], expected lengths 3 on its axes 0/,
  );
  expect(() => tensordot(zeros([2]), zeros([2]), 2)).toThrow(/`axes` is 2/);
  expect(() => tensordot(zeros([2]), zeros([2]), [[0]] as never)).toThrow(
    /a number of axes, or two lists of as many/,
  );
  expect(() => allClose(zeros([2]), zeros([2]), { rtol: -1 })).toThrow(/`rtol` is -1/);
  expect(() => allClose(zeros([2], { dtype: "int32" }), zeros([2]))).toThrow(
    /^allClose: .*float32 or float64/,
  );
});
