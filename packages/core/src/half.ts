import { isPacked, type DType, type TypedArray } from "./dtype.js";
import type { OwnFloats, OwnHalves } from "./own-arrays.js";

/** The two 16-bit types: number of fraction bits, and exponent bias. The other bits are the sign and the exponent. */
const formats = {
  float16: { fraction: 10, bias: 15 },
  bfloat16: { fraction: 7, bias: 127 },
} as const;

/** A 16-bit floating-point type, for storage. */
export type HalfType = keyof typeof formats;

/**
 * The bits of the 16-bit number nearest to `x`; ties are rounded to even. It is rounded once, from float64. Numbers that round
 * to more than the largest finite one become infinity.
 */
export function toHalfBits(x: number, type: HalfType): number {
  const { fraction, bias } = formats[type];
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  const infinity = (2 * bias + 1) << fraction;
  if (Number.isNaN(x)) return infinity | (1 << (fraction - 1));
  if (magnitude === 0) return sign;
  if (magnitude === Infinity) return sign | infinity;
  // Subnormal numbers have the spacing of the smallest normal ones.
  const exponent = Math.max(exponentOf(magnitude), 1 - bias);
  const significand = roundToEven(magnitude / 2 ** (exponent - fraction));
  // The leading 1 of a normal significand adds one to the exponent field, and so does a carry from rounding up.
  const bits = ((exponent + bias - 1) << fraction) + significand;
  return sign | Math.min(bits, infinity);
}

/** The number that a 16-bit pattern represents. */
export function fromHalfBits(bits: number, type: HalfType): number {
  const { fraction, bias } = formats[type];
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> fraction;
  const fractionBits = bits & ((1 << fraction) - 1);
  if (exponent === 2 * bias + 1) return fractionBits === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fractionBits * 2 ** (1 - bias - fraction);
  return sign * (fractionBits + (1 << fraction)) * 2 ** (exponent - bias - fraction);
}

/** Converts numbers to 16-bit patterns, each rounded as by {@link toHalfBits}. */
export function packHalf(numbers: ArrayLike<number>, type: HalfType): OwnHalves {
  const halves = new Uint16Array(numbers.length);
  if (type === "bfloat16" && numbers instanceof Float32Array) {
    // A bfloat16 is the upper half of a float32: the lower half is rounded off, ties to even.
    const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
    for (let i = 0; i < bits.length; i++) {
      const float32 = bits[i]!;
      const isNaN = (float32 & 0x7fffffff) > 0x7f800000;
      halves[i] = isNaN ? 0x7fc0 : (float32 + 0x7fff + ((float32 >>> 16) & 1)) >>> 16;
    }
  } else for (let i = 0; i < halves.length; i++) halves[i] = toHalfBits(numbers[i]!, type);
  return halves;
}

/** Converts 16-bit patterns to float32, which represents all of them exactly. */
export function unpackHalf(halves: Uint16Array, type: HalfType): OwnFloats {
  const numbers = new Float32Array(halves.length);
  const bits = new Uint32Array(numbers.buffer);
  if (type === "bfloat16") {
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
    return numbers;
  }
  // The exponent biases differ by 127 − 15 = 112. Infinity and NaN have the largest exponent, which is 31 in float16 and
  // 255 = 31 + 2 · 112 in float32.
  const rebias = 112 << 23;
  for (let i = 0; i < bits.length; i++) {
    const half = halves[i]!;
    const exponent = half & 0x7c00;
    if (exponent === 0) numbers[i] = fromHalfBits(half, type);
    else
      bits[i] =
        (((half & 0x7fff) << 13) + (exponent === 0x7c00 ? 2 * rebias : rebias)) | ((half & 0x8000) << 16);
  }
  return numbers;
}

/** The number at an index of a tensor's data; 16-bit patterns are converted. */
export function numberAt(data: TypedArray, index: number, dtype: DType): number {
  return isPacked(dtype) ? fromHalfBits(data[index]!, dtype) : data[index]!;
}

/** ⌊log₂ x⌋ for a positive normal float64, from its exponent bits; −1023 for subnormals, which are 0 in 16 bits. */
function exponentOf(x: number): number {
  scratch.setFloat64(0, x);
  return ((scratch.getUint16(0) >>> 4) & 0x7ff) - 1023;
}
const scratch = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
