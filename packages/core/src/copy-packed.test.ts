import fc from "fast-check";
import { expect, test } from "vitest";
import { copyPacked, copyStrided, readPacked } from "./copy-packed.js";
import { sizeOf, stridesOf } from "./shape.js";

const lengths = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

test("property: copying to other strides and back restores the elements", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 0, max: 3 }), (shape, offset) => {
      const array = Float32Array.from({ length: sizeOf(shape) + offset }, (_, i) => i);
      const from = { array, shape, strides: stridesOf(shape), offset };
      // Column-major strides: the first axis varies fastest.
      const strides = stridesOf([...shape].reverse()).reverse();
      const transposed = { array: new Float32Array(array.length), shape, strides, offset };
      copyStrided(from, transposed);
      expect(copyPacked({ ...transposed, dtype: "float32" }, transposed.array)).toEqual(
        array.subarray(offset),
      );
    }),
  );
});

test("readPacked returns a contiguous view without a copy", () => {
  const array = Float32Array.of(0, 1, 2, 3, 4, 5);
  const view = { shape: [2, 2], strides: [2, 1], offset: 1, dtype: "float32" } as const;
  expect(readPacked(view, array)).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(readPacked(view, array).buffer).toBe(array.buffer);
  expect(readPacked({ ...view, shape: [2, 3], strides: [3, 1], offset: 0 }, array)).toBe(array);
  const transposed = readPacked({ ...view, strides: [1, 2] }, array);
  expect(transposed).toEqual(Float32Array.of(1, 3, 2, 4));
  expect(transposed.buffer).not.toBe(array.buffer);
});
