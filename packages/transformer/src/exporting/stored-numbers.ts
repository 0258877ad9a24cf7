import { toHalfBits } from "@qkv/core";
import type { TypedArray } from "@qkv/tensor";

/** How numbers are stored. */
export type StoredType = "float32" | "float16" | "bfloat16";

/** Bytes of one number. */
export const bytesOf = { float32: 4, float16: 2, bfloat16: 2 } as const satisfies Record<StoredType, number>;

/** The little-endian bytes of numbers: those in memory, where they lie so. */
export function storedBytes(numbers: TypedArray, type: StoredType): Uint8Array {
  if (type === "float32" && numbers instanceof Float32Array && littleEndian) {
    return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  }
  if (type === "bfloat16" && numbers instanceof Float32Array && littleEndian) return upperHalves(numbers);
  const bytes = new Uint8Array(numbers.length * bytesOf[type]);
  const view = new DataView(bytes.buffer);
  if (type === "float32") numbers.forEach((x, i) => view.setFloat32(4 * i, x, true));
  else numbers.forEach((x, i) => view.setUint16(2 * i, toHalfBits(x, type), true));
  return bytes;
}

/** A bfloat16 is the upper half of a float32, rounded to the nearest, and to even between two. */
function upperHalves(numbers: Float32Array): Uint8Array {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const halves = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) {
    const whole = bits[i]!;
    const isNumber = (whole & 0x7fffffff) <= 0x7f800000;
    halves[i] = isNumber ? (whole + 0x7fff + ((whole >>> 16) & 1)) >>> 16 : 0x7fc0;
  }
  return new Uint8Array(halves.buffer);
}

const littleEndian = /* @__PURE__ */ new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
