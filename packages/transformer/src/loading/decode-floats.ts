import { fromLittleEndian, isPacked, unpackHalf, type HalfType } from "@qkv/core";

/** Float formats of files. */
export type FloatFormat = "float64" | "float32" | "float16" | "bfloat16";

/** Decodes little-endian floats to float32. The result may share memory with the bytes. */
export function decodeFloats(bytes: Uint8Array<ArrayBuffer>, format: FloatFormat): Float32Array {
  const stored = fromLittleEndian(format, bytes);
  if (stored instanceof Float32Array) return stored;
  if (format === "float16" || format === "bfloat16") return unpackHalf(stored as Uint16Array, format);
  return Float32Array.from(stored);
}

/** Decodes little-endian 16-bit patterns. The result may share memory with the bytes. */
export function decodeHalves(bytes: Uint8Array<ArrayBuffer>, format: HalfType): Uint16Array {
  return fromLittleEndian(format, bytes) as Uint16Array;
}

/** The format if it has 16 bits, else undefined. */
export const halfType = (format: FloatFormat | undefined): HalfType | undefined =>
  format !== undefined && isPacked(format) ? format : undefined;
