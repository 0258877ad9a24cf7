import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "./check-gradient.js";
import { tensor, zeros } from "./create.js";
import { grad } from "./grad.js";
import { add } from "./ops/add.js";
import { cast } from "./ops/cast.js";
import { embedding } from "./ops/embedding.js";
import { gather } from "./ops/gather.js";
import { mul } from "./ops/mul.js";
import { permute } from "./ops/permute.js";
import { scatter } from "./ops/scatter.js";
import { slice } from "./ops/slice-and-pad.js";
import { sum } from "./ops/sum.js";
import { take } from "./ops/take.js";
import { transpose } from "./ops/transpose.js";
import { write } from "./ops/write.js";
import { randn } from "./random/randn.js";
import type { Tensor } from "./tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const ids = (values: number[] | number[][]) => tensor(values, { dtype: "int32" });

/** Every place of a shape, in row-major order. */
function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (found, length) => found.flatMap((place) => Array.from({ length }, (_, i) => [...place, i])),
    [[]],
  );
}
function at(x: Tensor, place: readonly number[]): number {
  return place.reduce<unknown>((nested, index) => (nested as unknown[])[index], x.toNested()) as number;
}
/** A shape, an axis, and indices that fit, at most as long as the shape on the other axes. */
const cases = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }), fc.nat(2), fc.integer())
  .chain(([shape, axis, seed]) => {
    const at = axis % shape.length;
    return fc
      .tuple(...shape.map((length, a) => fc.integer({ min: 1, max: a === at ? 4 : length })))
      .chain((lengths) => {
        const count = lengths.reduce((a, b) => a * b, 1);
        const values = fc.array(fc.nat(shape[at]! - 1), { minLength: count, maxLength: count });
        return values.map((list) => ({
          shape,
          axis: at,
          seed,
          indices: tensor(list, { shape: lengths, dtype: "int32" }),
        }));
      });
  });
/** The same numbers as a view whose axes lie in memory the other way round. */
const reversed = (shape: number[], seed: number) => {
  const order = shape.map((_, axis) => shape.length - 1 - axis);
  return permute(
    random(
      order.map((axis) => shape[axis]!),
      seed,
    ),
    order,
  );
};

test("property: gather equals a loop over indices, also for views", () => {
  fc.assert(
    fc.property(cases, ({ shape, axis, seed, indices }) => {
      const x = reversed(shape, seed);
      const expected = places(indices.shape).map((place) => at(x, place.with(axis, at(indices, place))));
      expect([...gather(x, axis, indices).data]).toEqual(expected);
    }),
  );
});

test("property: scatter overwrites in order, adds, or reduces by max or mean, in a copy", () => {
  const reductions = fc.constantFrom("last", "add", "max", "mean");
  fc.assert(
    fc.property(cases, reductions, ({ shape, axis, seed, indices }, reduce) => {
      const x = reversed(shape, seed);
      const source = reversed([...indices.shape], seed + 1);
      const before = [...x.data];
      const meet = new Map(places(shape).map((place, i) => [String(place), [before[i]!]]));
      for (const place of places(indices.shape))
        meet.get(String(place.with(axis, at(indices, place))))!.push(at(source, place));
      const total = (list: number[]) => list.reduce((a, b) => a + b, 0);
      const of: Record<typeof reduce, (list: number[]) => number> = {
        last: (list) => list.at(-1)!,
        add: total,
        max: (list) => Math.max(...list),
        mean: (list) => total(list) / list.length,
      };
      const y = scatter(x, axis, indices, source, reduce === "last" ? {} : { reduce });
      expect(y.data).toBeAllclose([...meet.values()].map(of[reduce]), { rtol: 0, atol: 5e-13 });
      expect([...x.data]).toEqual(before);
    }),
  );
});

test("property: gradients of gather and scatter equal central differences, also for repeated indices", () => {
  fc.assert(
    fc.property(cases, ({ shape, axis, seed, indices }) => {
      const [x, source] = [reversed(shape, seed), reversed([...indices.shape], seed + 1)];
      checkGradient((z) => weigh(gather(z, axis, indices)), x);
      const both = { x, source };
      checkGradient((p: typeof both) => weigh(scatter(p.x, axis, indices, p.source)), both);
      for (const reduce of ["add", "max", "mean"] as const)
        checkGradient((p: typeof both) => weigh(scatter(p.x, axis, indices, p.source, { reduce })), both);
      const slope = (z: Tensor) =>
        weigh(grad((y: Tensor) => weigh(mul(gather(y, axis, indices), source)))(z));
      checkGradient((z) => add(slope(z), sum(z)), x);
    }),
    { numRuns: 30 },
  );
});

test("scatter with max: an element is NaN if one of its numbers is, and equal maxima share the gradient", () => {
  const index = ids([0, 0, 1]);
  const max = { reduce: "max" as const };
  expect(scatter(tensor([1, 5]), 0, index, tensor([2, NaN, 3]), max).toNested()).toEqual([NaN, 5]);
  const whole = (values: number[]) => tensor(values, { dtype: "int32" });
  expect(scatter(whole([-9, -5]), 0, index, whole([-4, -7, -6]), max).toNested()).toEqual([-4, -5]);
  const both = { x: tensor([2, 0]), source: tensor([2, 2, 3]) };
  const slope = grad((p: typeof both) => sum(scatter(p.x, 0, index, p.source, max)))(both);
  expect(slope.x.data).toEqual(new Float32Array([1 / 3, 0]));
  expect(slope.source.data).toEqual(new Float32Array([1 / 3, 1 / 3, 1]));
  expect(() => scatter(whole([0, 0]), 0, index, 1, { reduce: "mean" })).toThrow(
    /expected float32 or float64/,
  );
});

test("scatter accepts one number for all indices, and copies 16-bit floats bit for bit", () => {
  expect(scatter(zeros([2, 3]), 1, ids([[2], [0]]), 5).toNested()).toEqual([
    [0, 0, 5],
    [5, 0, 0],
  ]);
  const half = cast(tensor([1.5, 2.5, 3.5]), "float16");
  expect(scatter(half, 0, ids([2]), slice(half, 0, 0, 1)).toNested()).toEqual([1.5, 2.5, 1.5]);
  expect(gather(half, 0, ids([2, 0])).toNested()).toEqual([3.5, 1.5]);
  expect(() => scatter(half, 0, ids([2]), slice(half, 0, 0, 1), { reduce: "add" })).toThrow(
    /numbers to compute with/,
  );
});

test("property: take replaces an axis with the axes of the indices", () => {
  fc.assert(
    fc.property(cases, ({ shape, axis, seed, indices }) => {
      const x = reversed(shape, seed);
      const rank = indices.shape.length;
      const expected = places([...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)]).map(
        (place) => {
          const index = at(indices, place.slice(axis, axis + rank));
          return at(x, [...place.slice(0, axis), index, ...place.slice(axis + rank)]);
        },
      );
      expect([...take(x, axis, indices).data]).toEqual(expected);
      checkGradient((z) => weigh(take(z, axis, indices)), x);
    }),
    { numRuns: 30 },
  );
});

test("indices out of range are refused, with the fix", () => {
  const x = zeros([2, 3]);
  expect(() => gather(x, 1, ids([[3], [0]]))).toThrow(
    "gather: `indices` is 3, expected integers from 0 to 2.",
  );
  expect(() => gather(x, 1, ids([[-1], [0]]))).toThrow(/-1.*\nFix: point only at what is there/);
  expect(() => scatter(x, 0, ids([[2, 0, 0]]), 1)).toThrow(/scatter: `indices` is 2/);
  expect(() => gather(x, 1, tensor([[0], [0]]))).toThrow(/gather: `indices` is "float32", expected int32/);
  expect(() => gather(x, 1, ids([0, 1]))).toThrow(
    "gather: `indices` has shape [2], expected at most [2, any].",
  );
  expect(() => gather(x, 0, ids([[0, 0, 0, 0]]))).toThrow(/has shape \[1, 4\], expected at most \[any, 3\]/);
  expect(() => scatter(x, 1, ids([[0], [0]]), zeros([1, 1]))).toThrow(
    "scatter: `source` has shape [1, 1], expected [2, 1]: a number for each index.",
  );
  expect(() => scatter(x, 1, ids([[0], [0]]), zeros([2, 1], { dtype: "float64" }))).toThrow(
    /`source` is "float64"/,
  );
  expect(() => scatter(x, 1, ids([[0], [0]]), 1, { reduce: "prod" as "add" })).toThrow(
    /`reduce` is "prod", expected "add", "max" or "mean"/,
  );
  expect(() => take(x, 1, ids([3]))).toThrow(/take: `indices` is 3, expected integers from 0 to 2/);
  expect(() => take(x, 1, tensor([0]))).toThrow(/take: `indices` is "float32", expected int32/);
  expect(() => embedding(zeros([3]), ids([0]))).toThrow(
    /embedding: `table` has shape \[3\], expected \[V, C\]/,
  );
});

test("write copies into a buffer in place, and all its views show it", () => {
  const buffer = zeros([2, 4]);
  const view = slice(transpose(buffer), 0, 1);
  write(buffer, 1, 2, tensor([[1], [2]]));
  write(view, 0, 0, transpose(tensor([[7], [8]])));
  expect(buffer.toNested()).toEqual([
    [0, 7, 1, 0],
    [0, 8, 2, 0],
  ]);
  expect(() => write(buffer, 1, 3, zeros([2, 2]))).toThrow(
    "write: `source` has shape [2, 2], expected the target's shape [2, 4], with at most 1 on axis 1 from 3 on.",
  );
  expect(() => write(buffer, 0, 0, zeros([1, 4], { dtype: "int32" }))).toThrow(
    'write: `source` is "int32 on js", expected float32 on js, as the target is.',
  );
});
