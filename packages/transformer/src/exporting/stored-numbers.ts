import { littleEndianBytes, packHalf } from "@qkv/core";
import type { TypedArray } from "@qkv/tensor";

/** Dtypes for stored floats. */
export type StoredType = "float32" | "float16" | "bfloat16";

/** Bytes of one number. */
export const bytesPerStoredNumber = { float32: 4, float16: 2, bfloat16: 2 } as const satisfies Record<
  StoredType,
  number
>;

/** The little-endian bytes of numbers, without a copy on little-endian platforms. */
export function storedBytes(numbers: TypedArray, type: StoredType): Uint8Array {
  if (type !== "float32") return littleEndianBytes(packHalf(numbers, type));
  return littleEndianBytes(numbers instanceof Float32Array ? numbers : Float32Array.from(numbers));
}
