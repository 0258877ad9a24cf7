import { expect, test } from "vitest";
import { addStrided } from "./add-strided.js";

const from = { array: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3], strides: [3, 1], offset: 0 };
const sums = (shape: number[], strides: number[], array: Float64Array) => {
  addStrided(from, { array, shape, strides, offset: 0 });
  return [...array];
};

test("with equal shapes, each element is added to the one already there", () => {
  expect(sums([2, 3], [3, 1], new Float64Array(6).fill(10))).toEqual([11, 12, 13, 14, 15, 16]);
  expect(sums([2, 3], [1, 2], new Float64Array(6))).toEqual([1, 4, 2, 5, 3, 6]);
});

test("numbers are summed along axes that the target lacks or has with length 1", () => {
  expect(sums([2, 1], [1, 1], Float64Array.of(100, 0))).toEqual([106, 15]);
  expect(sums([3], [1], new Float64Array(3))).toEqual([5, 7, 9]);
  expect(sums([], [], new Float64Array(1))).toEqual([21]);
});

test("a number is added to all elements along axes that the source lacks or has with length 1", () => {
  const to = { array: new Float64Array(12), shape: [2, 2, 3], strides: [6, 3, 1], offset: 0 };
  addStrided(from, to);
  expect([...to.array]).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
});
