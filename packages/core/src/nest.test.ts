import { expect, test } from "vitest";
import { nest } from "./nest.js";

test("elements are nested in row-major order, one level per axis", () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  expect(nest({ data, shape: [2, 3], dtype: "float32" })).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(nest({ data, shape: [3, 1, 2], dtype: "float32" })).toEqual([[[1, 2]], [[3, 4]], [[5, 6]]]);
  expect(nest({ data: data.subarray(0, 1), shape: [], dtype: "float32" })).toBe(1);
  expect(nest({ data: new Float32Array(0), shape: [2, 0], dtype: "float32" })).toEqual([[], []]);
});

test("bools become true and false, and 16-bit patterns become numbers", () => {
  expect(nest({ data: Uint8Array.of(1, 0), shape: [2], dtype: "bool" })).toEqual([true, false]);
  expect(nest({ data: Uint16Array.of(0x3fc0), shape: [1], dtype: "bfloat16" })).toEqual([1.5]);
});
