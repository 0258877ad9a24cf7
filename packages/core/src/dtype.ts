import { ArgumentError, DeviceError } from "./errors.js";
import { knownNames } from "./known-names.js";

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
} as const;

/**
 * Element type of a tensor: `float32`, `float64`, `int32`, `uint8`, `int8`, `bool`, `float16` or `bfloat16`. `bool` is stored as bytes of 0 and 1. `float16` and `bfloat16` are for storage only: their data are
 * 16-bit patterns, which `cast` converts to float32 or float64 before arithmetic.
 */
export type DType = keyof typeof arrays;

/** Typed arrays that hold the elements of tensors. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Int8Array | Uint16Array;

/**
 * Allocates a zeroed typed array for `length` elements.
 *
 * @throws {DeviceError} If there is not enough memory. The error names `fn`.
 */
export function allocateArray(dtype: DType, length: number, fn = "allocate"): TypedArray {
  try {
    return new arrays[dtype](length);
  } catch (cause) {
    throw new DeviceError({
      fn,
      argument: "length",
      received: `${length} numbers of ${dtype}`,
      expected: "fewer, for the memory of this program",
      fix: "make a smaller tensor, or several.",
      cause,
    });
  }
}

/** A typed array for `length` elements of `dtype`, as a view of existing bytes. `byteOffset`: start, in bytes. */
export function viewArray(dtype: DType, buffer: ArrayBuffer, byteOffset: number, length: number): TypedArray {
  return new arrays[dtype](buffer, byteOffset, length);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return arrays[dtype]?.BYTES_PER_ELEMENT ?? arrays[checkDType("bytesPerElement", dtype)].BYTES_PER_ELEMENT;
}

/** True for float32 and float64, the types whose tensors have gradients. */
export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

/** True for float16 and bfloat16, the types for storage only: their elements are bit patterns, not numbers. */
export function isPacked(dtype: DType): dtype is "float16" | "bfloat16" {
  return dtype === "float16" || dtype === "bfloat16";
}

/** Returns an element type, and refuses any other value. */
export function checkDType(fn: string, dtype: unknown): DType {
  if (typeof dtype === "string" && Object.hasOwn(arrays, dtype)) return dtype as DType;
  throw new ArgumentError({
    fn,
    argument: "dtype",
    received: dtype,
    expected: `one of ${knownNames(dtype, Object.keys(arrays), "the reference of `DType`")}`,
    fix: "leave it out for float32.",
  });
}

/** Returns float32 or float64, and refuses any other value. */
export function checkFloat(fn: string, dtype: DType): DType {
  if (isFloat(checkDType(fn, dtype))) return dtype;
  throw new ArgumentError({
    fn,
    argument: "dtype",
    received: dtype,
    expected: "float32 or float64",
    fix: "compute in float32 and `cast` the result.",
  });
}
