/** The element types of a tensor. `bool` is stored as bytes of 0 and 1. */
export type DType = "float32" | "float64" | "int32" | "bool";

/** What holds a tensor's numbers. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array } as const;

/** A zeroed typed array for `length` elements. */
export function allocateArray(dtype: DType, length: number): TypedArray {
  return new arrays[dtype](length);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(arrays, value);
}
