import { expect, test } from "vitest";
import { arange, full, ones, tensor, zeros, type DType } from "./index.js";

test("nested lists, flat lists with a shape, typed arrays and single numbers", () => {
  expect(
    tensor([
      [1, 2],
      [3, 4],
    ]).shape,
  ).toEqual([2, 2]);
  expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).toNested()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(tensor(7).shape).toEqual([]);
  expect(tensor([]).shape).toEqual([0]);
  expect(tensor([[], []]).shape).toEqual([2, 0]);
  const own = new Float64Array([1, 2]);
  const copy = tensor(own);
  own[0] = 9;
  expect(copy.toNested()).toEqual([1, 2]);
});

test("the type follows the values", () => {
  const types = [
    [1],
    [true],
    new Float64Array(1),
    new Int32Array(1),
    new Uint8Array(1),
    new Int8Array(1),
    new Float32Array(1),
  ];
  expect(types.map((values) => tensor(values).dtype)).toEqual([
    "float32",
    "bool",
    "float64",
    "int32",
    "uint8",
    "int8",
    "float32",
  ]);
});

test("each type stores numbers as it can", () => {
  const stored = (dtype: DType) => tensor([1.5, -1, 300, 0], { dtype }).toNested();
  expect(stored("float32")).toEqual([1.5, -1, 300, 0]);
  expect(stored("int32")).toEqual([1, -1, 300, 0]);
  expect(stored("uint8")).toEqual([1, 255, 44, 0]);
  expect(stored("int8")).toEqual([1, -1, 44, 0]);
  expect(stored("bool")).toEqual([true, true, true, false]);
  expect(stored("bfloat16")).toEqual([1.5, -1, 300, 0]);
  expect(tensor(new Uint16Array([0x3c00]), { dtype: "float16" }).toNested()).toEqual([1]);
  expect(tensor([0x3c00], { dtype: "float16" }).toNested()).toEqual([15360]);
});

test("zeros, ones, full and arange in each type", () => {
  for (const dtype of ["float32", "float64", "int32", "uint8", "int8", "float16", "bfloat16"] as const) {
    expect(zeros([2], { dtype }).toNested()).toEqual([0, 0]);
    expect(ones([2], { dtype }).toNested()).toEqual([1, 1]);
    expect(full([1, 2], 3, { dtype }).toNested()).toEqual([[3, 3]]);
    expect(arange(3, { start: 2, dtype }).toNested()).toEqual([2, 3, 4]);
  }
  expect(full([1], 5, { dtype: "bool" }).toNested()).toEqual([true]);
  expect(full([], 5).toNested()).toBe(5);
});

test("errors say what came and what to do", () => {
  expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(
    'tensor: `values` is "3 numbers", expected 4 for the shape [2, 2].\n' +
      "Fix: give as many numbers as the product of the shape's lengths.",
  );
  expect(() => tensor([[1, 2], [3]])).toThrow(
    'tensor: `values` is "a list of parts of the shapes [2] and [1]", expected parts of one shape.\n' +
      "Fix: make all rows equally long, or pad the short ones.",
  );
  expect(() => tensor([[1], 2])).toThrow(/parts of the shapes \[1\] and \[\]/);
  expect(() => zeros([2, -1])).toThrow(
    'full: `shape` is ["2", "-1"], expected a list of whole lengths, each 0 or more.\n' +
      "Fix: write the length of each axis, leftmost first, such as [2, 3].",
  );
  expect(() => zeros([1], { dtype: "float8" as DType })).toThrow(
    'full: `dtype` is "float8", expected one of float32, float64, int32, uint8, int8, bool, float16, bfloat16.\n' +
      "Fix: leave it out for float32.",
  );
});
