import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGradient } from "./check-gradient.js";
import { arange, tensor, zeros } from "./create.js";
import { grad } from "./grad.js";
import { broadcastTo } from "./ops/broadcast-to.js";
import { cast } from "./ops/cast.js";
import { concat } from "./ops/concat.js";
import { contiguous } from "./ops/contiguous.js";
import { expandDims } from "./ops/expand-dims.js";
import { flip } from "./ops/flip.js";
import { mul } from "./ops/mul.js";
import { outer } from "./ops/outer.js";
import { pad, slice } from "./ops/slice-and-pad.js";
import { permute } from "./ops/permute.js";
import { repeat } from "./ops/repeat.js";
import { reshape } from "./ops/reshape.js";
import { roll } from "./ops/roll.js";
import { split } from "./ops/split.js";
import { squeeze } from "./ops/squeeze.js";
import { stack } from "./ops/stack.js";
import { sum } from "./ops/sum.js";
import { tile } from "./ops/tile.js";
import { transpose } from "./ops/transpose.js";
import { tril } from "./ops/tril.js";
import { triu } from "./ops/triu.js";
import { randn } from "./random/randn.js";
import type { Tensor } from "./tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 99)));
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
/** A contiguous copy. */
const packed = (x: Tensor) => tensor(x.data.slice(), { shape: x.shape });

/** One step of a chain of views, chosen by a random number from what fits the shape. */
function step(x: Tensor, kind: number, choice: number): Tensor {
  const rank = x.shape.length;
  const axis = choice % rank;
  const length = x.shape[axis]!;
  switch (kind) {
    case 0:
      return permute(
        x,
        x.shape.map((_, a) => (a + 1 + choice) % rank),
      );
    case 1:
      return slice(x, axis, choice % length, (choice % length) + 1 + (choice % (length - (choice % length))));
    case 2:
      return reshape(x, choice % 2 ? [-1, length] : [size(x.shape), 1]);
    case 3:
      return transpose(x, axis, (choice >> 3) % rank);
    case 4:
      return size(x.shape) > 60 ? x : broadcastTo(x, [1 + (choice % 3), ...x.shape]);
    default:
      return slice(x, axis, -1);
  }
}
test("property: a chain of views gives the same as the chain on contiguous copies", () => {
  const steps = fc.array(fc.tuple(fc.nat(5), fc.nat(1000)), { maxLength: 6 });
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shapes, steps, (shape, steps) => {
      let view = reshape(arange(size(shape)), shape);
      let copy = packed(view);
      for (const [kind, choice] of steps) {
        view = step(view, kind, choice);
        copy = packed(step(copy, kind, choice));
        expect(view.shape).toEqual(copy.shape);
        expect(view.data).toEqual(copy.data);
        expect(contiguous(view).data).toEqual(copy.data);
        expect(mul(view, 2).data).toEqual(mul(copy, 2).data);
        expect(sum(view, { axis: 0 }).data).toEqual(sum(copy, { axis: 0 }).data);
      }
    }),
  );
});

test("views copy nothing, and reshape copies only tensors that are not contiguous", () => {
  const x = random([2, 3, 4]);
  for (const view of [
    permute(x, [2, 0, 1]),
    transpose(x),
    slice(x, 1, 1),
    reshape(x, [6, 4]),
    broadcastTo(x, [5, 2, 3, 4]),
    expandDims(x, 1),
    squeeze(slice(x, 0, 0, 1)),
    ...split(x, 2),
  ]) {
    expect(view.storage).toBe(x.storage);
  }
  expect(reshape(transpose(x), [24]).storage).not.toBe(x.storage);
});

test("golden: expandDims, squeeze, stack and split", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect([0, 1, 2, -1, -3].map((axis) => expandDims(x, axis).shape)).toEqual([
    [1, 2, 3],
    [2, 1, 3],
    [2, 3, 1],
    [2, 3, 1],
    [1, 2, 3],
  ]);
  expect(squeeze(zeros([1, 2, 1, 1])).shape).toEqual([2]);
  expect(squeeze(zeros([1, 2, 1, 1]), [0, -1]).shape).toEqual([2, 1]);
  expect(stack([x, x], -1).shape).toEqual([2, 3, 2]);
  expect(split(x, 3, 1).map((part) => part.toNested())).toEqual([
    [[1], [4]],
    [[2], [5]],
    [[3], [6]],
  ]);
  expect(split(x, [0, 2, 1], -1).map((part) => part.shape)).toEqual([
    [2, 0],
    [2, 2],
    [2, 1],
  ]);
});

test("property: concat undoes split, and slices undo stack", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
      fc.nat(2),
      fc.integer(),
      (lengths, axis, seed) => {
        const shape = [2, 2].toSpliced(
          axis,
          0,
          lengths.reduce((a, b) => a + b, 0),
        );
        const x = permute(random([shape[2]!, shape[1]!, shape[0]!], seed), [2, 1, 0]);
        const parts = split(x, lengths, axis);
        expect(concat(parts, axis).data).toEqual(x.data);
        const [first] = parts;
        const piled = stack([first!, first!, first!], axis);
        expect(squeeze(slice(piled, axis, 1, 2), axis).data).toEqual(first!.data);
      },
    ),
  );
});

test("golden: roll, flip, repeat and tile of NumPy", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(roll(x, 1, 1).toNested()).toEqual([
    [3, 1, 2],
    [6, 4, 5],
  ]);
  expect(roll(x, -4, 1).toNested()).toEqual([
    [2, 3, 1],
    [5, 6, 4],
  ]);
  expect(roll(x, 3, 1)).toBe(x);
  expect(roll(zeros([0]), 2, 0).shape).toEqual([0]);
  expect(flip(x, 1).toNested()).toEqual([
    [3, 2, 1],
    [6, 5, 4],
  ]);
  expect(flip(transpose(x), [0, 1]).toNested()).toEqual([
    [6, 3],
    [5, 2],
    [4, 1],
  ]);
  expect(flip(x, [1, -1]).toNested()).toEqual([
    [3, 2, 1],
    [6, 5, 4],
  ]);
  expect(repeat(x, 2, 0).toNested()).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [4, 5, 6],
    [4, 5, 6],
  ]);
  expect(repeat(x, 2, -1).toNested()).toEqual([
    [1, 1, 2, 2, 3, 3],
    [4, 4, 5, 5, 6, 6],
  ]);
  expect(repeat(x, 0, 1).shape).toEqual([2, 0]);
  expect(tile(x, [2, 1]).toNested()).toEqual([
    [1, 2, 3],
    [4, 5, 6],
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(tile(x, [2]).toNested()).toEqual([
    [1, 2, 3, 1, 2, 3],
    [4, 5, 6, 4, 5, 6],
  ]);
  expect(tile(tensor([1]), [2, 1, 3]).shape).toEqual([2, 1, 3]);
  expect(outer(tensor([1, 2]), tensor([3, 4, 5])).toNested()).toEqual([
    [3, 4, 5],
    [6, 8, 10],
  ]);
});

test("property: tril and triu keep the elements on their side of a diagonal", () => {
  const length = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(length, length, fc.integer({ min: -6, max: 6 }), (rows, columns, diagonal) => {
      const x = transpose(random([2, columns, rows]));
      const [lower, upper] = [tril(x, diagonal), triu(x, diagonal)];
      x.data.forEach((value, i) => {
        const [row, column] = [Math.floor(i / columns) % rows, i % columns];
        expect(lower.data[i]).toBe(column - row <= diagonal ? value : 0);
        expect(upper.data[i]).toBe(column - row >= diagonal ? value : 0);
      });
    }),
  );
});

test("elements of every dtype are copied bit for bit", () => {
  for (const dtype of ["float16", "bfloat16", "bool", "int8", "uint8", "int32", "float64"] as const) {
    const x = cast(
      tensor([
        [1, 0],
        [1, 1],
      ]),
      dtype,
    );
    for (const y of [
      flip(x, 0),
      roll(x, 1, 0),
      stack([x, x]),
      repeat(x, 2, 1),
      tile(x, [2]),
      tril(x),
      pad(x, 0, 1, 1),
      concat([x, x], 0),
    ]) {
      expect(y.dtype).toBe(dtype);
      expect([...cast(y, "float32").data].every((value) => value === 0 || value === 1)).toBe(true);
    }
    const padded = cast(pad(x, 0, 1, 0, 1), "float32");
    expect(padded.toNested()).toEqual([
      [1, 1],
      [1, 0],
      [1, 1],
    ]);
  }
});

test.each<[string, (x: Tensor) => Tensor]>([
  ["expandDims", (x) => expandDims(x, 1)],
  ["squeeze", (x) => squeeze(slice(x, 0, 1, 2), 0)],
  ["stack", (x) => stack([x, mul(x, x)], 1)],
  ["split", (x) => mul(split(x, [1, 3], 1)[0]!, split(x, 2, 1)[1]!)],
  ["roll", (x) => roll(x, 1, 1)],
  ["flip", (x) => flip(x, [0, 1])],
  ["repeat", (x) => repeat(x, 3, 1)],
  ["tile", (x) => tile(x, [2, 1, 3])],
  ["outer", (x) => outer(reshape(x, [-1]), reshape(x, [-1]))],
  ["tril", (x) => tril(x, 1)],
  ["triu", (x) => triu(x)],
  ["pad, with another value", (x) => pad(x, 1, 1, 2, 5)],
])("the gradient of %s equals central differences, and so does the second", (_, f) => {
  const x = random([2, 4]);
  expect(() => checkGradient((z) => weigh(f(z)), x)).not.toThrow();
  const slope = (z: Tensor) => weigh(grad((y: Tensor) => weigh(f(mul(y, y))))(z));
  expect(() => checkGradient(slope, x, { tolerance: 1e-5 })).not.toThrow();
});

test("invalid arguments are refused, with the fix", () => {
  const x = zeros([2, 3]);
  expect(() => squeeze(x, 1)).toThrow("squeeze: `x` has shape [2, 3], expected length 1 on axis 1.");
  expect(() => expandDims(x, 3)).toThrow(/expandDims: `axis` is 3, expected an axis of a tensor of rank 3/);
  expect(() => stack([])).toThrow(/stack: `tensors` is "an empty list"/);
  expect(() => stack([x, zeros([3, 2])])).toThrow(/`tensors\[1\]` has shape/);
  expect(() => stack([x, zeros([6])])).toThrow(/`tensors\[1\]` has shape \[6\]/);
  expect(() => split(x, 2, 1)).toThrow(
    'split: `parts` is "2 equal parts", expected parts that make up axis 1, of length 3.\nFix: give a number that',
  );
  expect(() => split(x, [1, 1], 1)).toThrow(/`parts` is "lengths 1, 1"/);
  expect(() => split(x, 0, 1)).toThrow(/`parts` is "0 equal parts"/);
  expect(() => roll(x, 0.5, 0)).toThrow(/roll: `shift` is 0.5/);
  expect(() => repeat(x, -1, 0)).toThrow(/repeat: `times` is -1/);
  expect(() => tile(x, [1.5])).toThrow(/tile: `repetitions` is \[1.5\]/);
  expect(() => outer(x, zeros([1]))).toThrow(/outer: `a` has shape \[2, 3\], expected a vector/);
  expect(() => tril(zeros([3]))).toThrow(/tril: `x` has shape \[3\], expected two axes or more/);
  expect(() => triu(x, 0.5)).toThrow(/triu: `diagonal` is 0.5/);
  expect(() => concat([], 0)).toThrow(/concat: `tensors` is "an empty list"/);
  expect(() => concat([x, zeros([2, 3], { dtype: "int32" })], 0)).toThrow(
    'concat: `tensors[1]` is "int32", expected float32 of the shape [any, 3].',
  );
  expect(() => pad(x, 0, -1, 0)).toThrow(/pad: `before` is -1.*\nFix: use `slice` to shorten/);
  expect(() => slice(x, 1, 2, 5)).toThrow(
    /slice: `start` is "2 to 5", expected a stretch inside axis 1, which has length 3/,
  );
  expect(() => permute(x, [0, 0])).toThrow(/permute: `axes` is "0, 0", expected each of the 2 axes once/);
  expect(() => reshape(x, [4, -1])).toThrow(/reshape: `shape` is \[4, -1\], expected a shape of 6 elements/);
  expect(() => reshape(x, [-1, -1])).toThrow(/with at most one -1/);
  expect(() => broadcastTo(x, [3])).toThrow(/broadcastTo: `shape` is \[3\]/);
});
