import { bytesPerElement, fromLittleEndian, isPacked, unpackHalf, type HalfType } from "@qkv/core";

/** The ways in which files store numbers. */
export type FloatFormat = "float64" | "float32" | "float16" | "bfloat16";

/** Little-endian numbers as float32. The bytes may belong to the result. */
export function decodeFloats(bytes: Uint8Array<ArrayBuffer>, format: FloatFormat): Float32Array {
  const stored = fromLittleEndian(format, bytes);
  if (stored instanceof Float32Array) return stored;
  if (format === "float16" || format === "bfloat16") return unpackHalf(stored as Uint16Array, format);
  return Float32Array.from(stored);
}

/** Little-endian bit patterns of 16 bits. The bytes may belong to the result. */
export function decodeHalves(bytes: Uint8Array<ArrayBuffer>, format: HalfType): Uint16Array {
  return fromLittleEndian(format, bytes) as Uint16Array;
}

/** The format, where it has 16 bits. */
export const halfType = (format: FloatFormat | undefined): HalfType | undefined =>
  format !== undefined && isPacked(format) ? format : undefined;

/** Bytes of one number. */
export const bytesPerNumber = (format: FloatFormat): number => bytesPerElement(format);
