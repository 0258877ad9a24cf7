import { littleEndianBytes, packHalf } from "@qkv/core";
import type { TypedArray } from "@qkv/tensor";

/** Dtypes for stored floats. */
export type StoredType = "float32" | "float16" | "bfloat16";

/** Bytes per element. */
export const bytesPerStoredElement = { float32: 4, float16: 2, bfloat16: 2 } as const satisfies Record<
  StoredType,
  number
>;

/** The little-endian bytes of elements in a dtype. Float32 arrays are not copied on little-endian platforms. */
export function storedBytes(numbers: TypedArray, type: StoredType): Uint8Array {
  if (type !== "float32") return littleEndianBytes(packHalf(numbers, type));
  return littleEndianBytes(numbers instanceof Float32Array ? numbers : Float32Array.from(numbers));
}
