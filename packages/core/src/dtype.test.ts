import { expect, test } from "vitest";
import {
  allocateArray,
  bytesPerElement,
  checkDType,
  checkFloat,
  isFloat,
  isPacked,
  viewArray,
  type DType,
} from "./dtype.js";

test.each<[DType, number, { new (length: number): ArrayBufferView }]>([
  ["float32", 4, Float32Array],
  ["float64", 8, Float64Array],
  ["int32", 4, Int32Array],
  ["uint8", 1, Uint8Array],
  ["int8", 1, Int8Array],
  ["bool", 1, Uint8Array],
  ["float16", 2, Uint16Array],
  ["bfloat16", 2, Uint16Array],
])("%s takes %i bytes an element, in new memory and over bytes that are there", (dtype, bytes, array) => {
  expect(bytesPerElement(dtype)).toBe(bytes);
  const fresh = allocateArray(dtype, 3);
  expect(fresh).toBeInstanceOf(array);
  expect([...fresh]).toEqual([0, 0, 0]);
  const over = viewArray(dtype, new Uint8Array(64).fill(1).buffer, 8, 2);
  expect([over.byteOffset, over.byteLength, over.length]).toEqual([8, 2 * bytes, 2]);
  expect(over[0]).not.toBe(0);
});

test("isFloat holds for two types, and isPacked for two others", () => {
  const all: DType[] = ["float32", "float64", "int32", "uint8", "int8", "bool", "float16", "bfloat16"];
  expect(all.filter(isFloat)).toEqual(["float32", "float64"]);
  expect(all.filter(isPacked)).toEqual(["float16", "bfloat16"]);
});

test("checkDType refuses unknown types, and checkFloat types other than float32 and float64", () => {
  expect(checkDType("zeros", "int8")).toBe("int8");
  expect(checkFloat("randn", "float64")).toBe("float64");
  expect(() => checkDType("zeros", "float31")).toThrow(
    /zeros: `dtype` is "float31", expected one of float32, /,
  );
  expect(() => checkDType("zeros", "toString")).toThrow(/`dtype`/);
  expect(() => checkFloat("randn", "int32")).toThrow(
    /randn: `dtype` is "int32", expected float32 or float64/,
  );
});

test("an allocation that exceeds the memory throws an error that names the caller", () => {
  expect(() => allocateArray("float32", 1e12, "zeros")).toThrow(
    expect.objectContaining({
      name: "DeviceError",
      fn: "zeros",
      received: "1000000000000 numbers of float32",
    }),
  );
});
