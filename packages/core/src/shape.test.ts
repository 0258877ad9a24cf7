import fc from "fast-check";
import { expect, test } from "vitest";
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  isContiguous,
  normalizeAxis,
  sizeOf,
  stridesOf,
  withLength,
} from "./shape.js";

const shapes = fc.array(fc.nat(4), { maxLength: 5 });

test("property: with row-major strides, consecutive elements have consecutive offsets", () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const strides = stridesOf(shape);
      let places = [0];
      shape.forEach((length, axis) => {
        places = places.flatMap((at) => Array.from({ length }, (_, i) => at + i * strides[axis]!));
      });
      expect(places).toEqual(Array.from({ length: sizeOf(shape) }, (_, i) => i));
      expect(isContiguous(shape, strides)).toBe(true);
    }),
  );
});

test("isContiguous ignores the strides of axes of length 1", () => {
  expect(isContiguous([2, 1, 3], [3, 99, 1])).toBe(true);
  expect(isContiguous([2, 3], [1, 2])).toBe(false);
  expect(isContiguous([2, 3], [0, 1])).toBe(false);
  expect(isContiguous([], [])).toBe(true);
});

test("withLength changes the length of one axis", () => {
  expect(withLength([2, 3, 4], 1, 7)).toEqual([2, 7, 4]);
});

test("broadcastShapes follows NumPy's rule", () => {
  expect(broadcastShapes("add", [2, 1, 3], [4, 1])).toEqual([2, 4, 3]);
  expect(broadcastShapes("add", [], [5])).toEqual([5]);
  expect(broadcastShapes("add", [1], [0])).toEqual([0]);
  expect(broadcastStrides([2, 4, 3], [4, 1], [1, 1])).toEqual([0, 1, 0]);
});

test("errors name the function, the shapes and the fix", () => {
  expect(() => broadcastShapes("add", [2, 3], [2])).toThrow(
    expect.objectContaining({
      name: "ShapeError",
      message:
        "add: `b` has shape [2], expected one that broadcasts with [2, 3].\n" +
        "Fix: each pair of lengths, from the right, must be equal or hold a 1.",
    }),
  );
  for (const shape of [[-1], [1.5], [NaN], "2", undefined, [2 ** 60]]) {
    expect(() => checkShape("zeros", shape)).toThrow(
      /zeros: `shape` is .*, expected a list of whole lengths, each 0 or/,
    );
  }
  expect(normalizeAxis("sum", -1, 3)).toBe(2);
  for (const axis of [3, -4, 0.5, NaN]) {
    expect(() => normalizeAxis("sum", axis, 3)).toThrow(
      `sum: \`axis\` is ${axis}, expected an axis of a tensor of rank 3: an integer from -3 to 2.\nFix: count axes from 0`,
    );
  }
});
