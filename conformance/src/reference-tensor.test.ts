import { expect, test } from "vitest";
import { readTensor } from "./reference-tensor.js";

const base64 = (array: ArrayBufferView) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");

test("elements are decoded unchanged", () => {
  const stored = new Float64Array([1.5, -0, NaN, -Infinity]);
  const read = readTensor({ name: "x", dtype: "float64", shape: [2, 2], data: base64(stored) });
  expect(read).toEqual({ name: "x", dtype: "float64", shape: [2, 2], values: stored });
});

test("int64 is read as bigint, float16 as bit patterns, bool as bytes", () => {
  const read = (dtype: string, array: ArrayBufferView) =>
    readTensor({ name: "x", dtype, shape: [1], data: base64(array) }).values;
  expect(read("int64", new BigInt64Array([-7n]))).toEqual(new BigInt64Array([-7n]));
  expect(read("float16", new Uint16Array([0x3c00]))).toEqual(new Uint16Array([0x3c00]));
  expect(read("bool", new Uint8Array([1]))).toEqual(new Uint8Array([1]));
});

test("a shape of [] has one element, a shape with a 0 none", () => {
  const one = { name: "x", dtype: "float32", shape: [], data: base64(new Float32Array([3])) };
  expect(readTensor(one).values).toEqual(new Float32Array([3]));
  const none = { name: "x", dtype: "float32", shape: [2, 0], data: "" };
  expect(readTensor(none).values).toEqual(new Float32Array([]));
});

test("throws for a number of bytes that does not fit the shape", () => {
  const short = { name: "x", dtype: "float32", shape: [2], data: base64(new Float32Array([3])) };
  expect(() => readTensor(short)).toThrow(
    /`x\.data` is a Uint8Array of 4 bytes, expected 8 bytes for float32 \[2\]/,
  );
});

test("throws for unknown dtypes, including names of object properties", () => {
  const tensor = { name: "x", shape: [], data: "" };
  expect(() => readTensor({ ...tensor, dtype: "complex64" })).toThrow(/`x\.dtype` is "complex64"/);
  expect(() => readTensor({ ...tensor, dtype: "toString" })).toThrow(/`x\.dtype`/);
  expect(() => readTensor(null)).toThrow(/`tensor` is null/);
});
