import { bytesPerElement, fromLittleEndian, unpackHalf } from "@qkv/core";

/** The ways in which files store numbers. */
export type FloatFormat = "float64" | "float32" | "float16" | "bfloat16";

/** Little-endian numbers as float32. The bytes may belong to the result. */
export function decodeFloats(bytes: Uint8Array<ArrayBuffer>, format: FloatFormat): Float32Array {
  const stored = fromLittleEndian(format, bytes);
  if (stored instanceof Float32Array) return stored;
  if (format === "float16" || format === "bfloat16") return unpackHalf(stored as Uint16Array, format);
  return Float32Array.from(stored);
}

/** Bytes of one number. */
export const bytesOfFloat = (format: FloatFormat): number => bytesPerElement(format);
