import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesPerElement, type DType } from "./dtype.js";
import { fromLittleEndian, littleEndianBytes, swapBytes } from "./little-endian.js";

test("swapBytes reverses the bytes of each element", () => {
  expect([...swapBytes(new Uint8Array([1, 2, 3, 4]), 2)]).toEqual([2, 1, 4, 3]);
  expect([...swapBytes(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), 4)]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
});

test("property: elements are converted to bytes and back, at any alignment", () => {
  const dtype = fc.constantFrom<DType>("float64", "float32", "int32", "int8", "uint8", "float16");
  fc.assert(
    fc.property(dtype, fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(8), (dtype, bytes, shift) => {
      const moved = new Uint8Array(40);
      moved.set(bytes, shift);
      const elements = fromLittleEndian(dtype, moved.subarray(shift, shift + 32));
      expect(elements.length).toBe(32 / bytesPerElement(dtype));
      expect([...littleEndianBytes(elements)]).toEqual([...bytes]);
    }),
  );
  expect(fromLittleEndian("float32", Uint8Array.of(0, 0, 128, 63))[0]).toBe(1);
});
