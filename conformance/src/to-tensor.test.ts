import { js, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import type { Target } from "./case.js";
import { passes } from "./check.js";
import type { ReferenceTensor } from "./reference-tensor.js";
import { compareTensor, toTensor } from "./to-tensor.js";

const target: Target = { device: js(), class: "host" };
const reference = (dtype: ReferenceTensor["dtype"], values: ReferenceTensor["values"]): ReferenceTensor => ({
  name: "x",
  dtype,
  shape: [values.length],
  values,
});

test("int64 becomes int32, and throws outside of the range of int32", () => {
  const small = toTensor(reference("int64", new BigInt64Array([-5n, 7n])), target);
  expect([small.dtype, small.toNested()]).toEqual(["int32", [-5, 7]]);
  const large = reference("int64", new BigInt64Array([1n, 2n ** 31n]));
  expect(() => toTensor(large, target)).toThrow("`x` holds 2147483648, which int32 does not");
});

test("float16 is stored as bits, and compared as numbers", async () => {
  const half = reference("float16", new Uint16Array([0x3c00, 0x7c00])); // 1 and infinity
  const ours = toTensor(half, target);
  expect([ours.dtype, ours.toNested()]).toEqual(["float16", [1, Infinity]]);
  const near = tensor([1.001, Infinity], { dtype: "float16" });
  expect(passes(await compareTensor(near, half, 4e-3))).toBe(true);
  expect(passes(await compareTensor(near, half, 1e-4))).toBe(false);
  expect((await compareTensor(tensor([1, Infinity]), half, 4e-3)).detail).toBe(
    "dtype float32, expected float16",
  );
});

test("a result of another dtype fails, whatever its elements", async () => {
  const expected = reference("float32", new Float32Array([1]));
  expect(passes(await compareTensor(tensor([1]), expected, 1e-3))).toBe(true);
  const double = await compareTensor(tensor([1], { dtype: "float64" }), expected, 1e-3);
  expect(double.detail).toBe("dtype float64, expected float32");
  expect(passes(double)).toBe(false);
  expect(passes(await compareTensor(undefined, expected, 1e-3))).toBe(false);
});

test("integers and bools must be equal, whatever the tolerance", async () => {
  const ids = reference("int64", new BigInt64Array([3n]));
  expect(passes(await compareTensor(tensor([3], { dtype: "int32" }), ids, 10))).toBe(true);
  expect(passes(await compareTensor(tensor([4], { dtype: "int32" }), ids, 10))).toBe(false);
  const flags = reference("bool", new Uint8Array([1]));
  expect(passes(await compareTensor(tensor([false]), flags, 10))).toBe(false);
});
