import { expect, test } from "vitest";
import { arange, full, ones, tensor, zeros } from "./create.js";
import { grad } from "./grad.js";
import { js } from "./js-device.js";
import { mul } from "./ops/mul.js";
import { sum } from "./ops/sum.js";
import { bernoulli } from "./random/bernoulli.js";
import { permutation } from "./random/permutation.js";
import { randn } from "./random/randn.js";
import type { Tensor } from "./tensor.js";
import type { DType } from "@qkv/core";

test("tensor accepts nested lists, flat lists with a shape, typed arrays and single numbers", () => {
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

test("the default dtype depends on the type of the values", () => {
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

test("each dtype stores the numbers that it can represent exactly, and floats are rounded to the nearest", () => {
  const stored = (dtype: DType, values = [1.5, -1, 300, 0]) => tensor(values, { dtype }).toNested();
  expect(stored("float32")).toEqual([1.5, -1, 300, 0]);
  expect(stored("bfloat16")).toEqual([1.5, -1, 300, 0]);
  expect(stored("int32", [-(2 ** 31), 2 ** 31 - 1])).toEqual([-(2 ** 31), 2 ** 31 - 1]);
  expect(stored("uint8", [0, 255])).toEqual([0, 255]);
  expect(stored("int8", [-128, 127])).toEqual([-128, 127]);
  expect(stored("bool", [1, 0])).toEqual([true, false]);
  expect(tensor(new Uint16Array([0x3c00]), { dtype: "float16" }).toNested()).toEqual([1]);
  expect(tensor([0x3c00], { dtype: "float16" }).toNested()).toEqual([15360]);
});

test.each<[DType, readonly (number | bigint)[] | Float32Array | BigInt64Array]>([
  ["int32", [0, 1.5]],
  ["int32", [0, 2 ** 31]],
  ["int32", [0, NaN]],
  ["int32", new Float32Array([0, 0.5])],
  ["int32", new BigInt64Array([0n, 2n ** 31n])],
  ["float64", new BigInt64Array([0n, 2n ** 53n + 1n])],
  ["uint8", [0, -1]],
  ["uint8", [0, 256]],
  ["int8", [0, 128]],
  ["bool", [0, 2]],
  ["bool", [0, 0.5]],
])("%s refuses numbers that it cannot represent instead of wrapping them around: %o", (dtype, values) => {
  expect(() => tensor(values as number[], { dtype })).toThrow(/^tensor: `values\[1\]` is /);
});

test("a BigInt64Array becomes int32", () => {
  const ids = tensor(new BigInt64Array([1n, -2n]), { shape: [1, 2] });
  expect([ids.dtype, ids.toNested()]).toEqual(["int32", [[1, -2]]]);
  expect(tensor(new BigUint64Array([7n])).toNested()).toEqual([7]);
});

test("tensors in lists are stacked, and each receives its gradient", () => {
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];
  expect(tensor([a, b]).toNested()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(tensor([[a], [b]]).shape).toEqual([2, 1, 2]);
  expect(grad((x: Tensor) => sum(tensor([x, mul(x, 2)])))(a).toNested()).toEqual([3, 3]);
  expect(() => tensor([a, 1] as never)).toThrow(
    "tensor: `values` is 1, expected tensors alone, as the first is one.",
  );
  expect(() => tensor([a, b], { dtype: "int32" })).toThrow(
    /^tensor: `dtype` is "int32", expected left out where tensors are stacked/,
  );
});

test.each([
  [undefined, "undefined"],
  [null, "null"],
  ["1, 2", '"1, 2"'],
  [{}, "an object with no keys"],
  [Symbol("x"), "Symbol(x)"],
  [Promise.resolve(1), "a promise (`await` it)"],
])("tensor refuses %o", (value, shown) => {
  expect(() => tensor(value as never)).toThrow(`tensor: \`value\` is ${shown}, expected numbers.`);
  expect(() => tensor([1, value] as never)).toThrow(`tensor: \`values[1]\` is ${shown}, expected numbers.`);
});

test("tensor refuses a hole in a list, a DataView, and a tensor", () => {
  // eslint-disable-next-line no-sparse-arrays -- a list with a hole must be refused
  expect(() => tensor([1, , 2] as never)).toThrow("tensor: `values[1]` is undefined");
  expect(() => tensor(new DataView(new ArrayBuffer(2)) as never)).toThrow(
    /`values` is a DataView of 2 bytes/,
  );
  expect(() => tensor(ones([2]) as never)).toThrow(
    /^tensor: `values` is a float32 tensor of shape \[2\].*\nFix: use it as it is; `cast`/,
  );
});

test("the promise of a device, or its name, is refused by all functions that create or move tensors", () => {
  const device = Promise.resolve(js()) as never;
  for (const make of [
    () => zeros([2], { device }),
    () => tensor([1], { device }),
    () => randn([2], { seed: 1, device }),
    () => bernoulli([2], { seed: 1, device }),
    () => permutation(2, { seed: 1, device }),
    () => ones([2]).to(device),
  ])
    expect(make).toThrow(
      /`device` is a promise \(`await` it\), expected a device\.\nFix: make one: `await wasm\(\)`/,
    );
  expect(() => zeros([2]).to("wasm" as never)).toThrow('to: `device` is "wasm", expected a device.');
});

test("a shape too large for memory is refused, and the error names the called function", () => {
  expect(() => zeros([1e6, 1e6])).toThrow(/^zeros: `length` is "1000000000000 numbers of float32"/);
  expect(() => randn([1e6, 1e6], { seed: 1 })).toThrow(/^randn: `length`/);
  expect(() => arange(1e15)).toThrow(/^arange: `length`/);
});

test("zeros, ones, full and arange have the requested dtype", () => {
  for (const dtype of ["float32", "float64", "int32", "uint8", "int8", "float16", "bfloat16"] as const) {
    expect(zeros([2], { dtype }).toNested()).toEqual([0, 0]);
    expect(ones([2], { dtype }).toNested()).toEqual([1, 1]);
    expect(full([1, 2], 3, { dtype }).toNested()).toEqual([[3, 3]]);
    expect(arange(3, { start: 2, dtype }).toNested()).toEqual([2, 3, 4]);
  }
  expect(full([1], 1, { dtype: "bool" }).toNested()).toEqual([true]);
  expect(full([], 5).toNested()).toBe(5);
});

test("errors name the received value and the fix", () => {
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
    'zeros: `shape` is ["2", "-1"], expected a list of whole lengths, each 0 or more.\n' +
      "Fix: write the length of each axis, leftmost first, such as [2, 3].",
  );
  expect(() => zeros([1], { dtype: "float8" as DType })).toThrow(
    'zeros: `dtype` is "float8", expected one of float32, float64, int32, uint8, int8, bool, float16, bfloat16.\n' +
      "Fix: leave it out for float32.",
  );
});
