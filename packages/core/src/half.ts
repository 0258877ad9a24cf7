import { isPacked, type DType, type TypedArray } from "./dtype.js";
import type { OwnFloats, OwnHalves } from "./own-arrays.js";

/** The two 16-bit types: how many bits their fraction has, and where their exponents begin. */
const formats = {
  float16: { fraction: 10, bias: 15 },
  bfloat16: { fraction: 7, bias: 127 },
} as const;

/** A 16-bit type for storage. */
export type HalfType = keyof typeof formats;

/**
 * The bits of the 16-bit number nearest to `x`; of two equally near ones, the even one. Rounded once, from float64.
 * Beyond the largest number it is infinity.
 */
export function toHalfBits(x: number, type: HalfType): number {
  const { fraction, bias } = formats[type];
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  const infinity = (2 * bias + 1) << fraction;
  if (Number.isNaN(x)) return infinity | (1 << (fraction - 1));
  if (size === 0) return sign;
  if (size === Infinity) return sign | infinity;
  // Below the smallest normal number the step no longer shrinks.
  const exponent = Math.max(exponentOf(size), 1 - bias);
  const steps = roundToEven(size / 2 ** (exponent - fraction));
  // A normal number has its leading 1 in `steps`, which lifts the exponent field by one; rounding up carries into it.
  const bits = ((exponent + bias - 1) << fraction) + steps;
  return sign | Math.min(bits, infinity);
}

/** The number that 16 bits stand for. */
export function fromHalfBits(bits: number, type: HalfType): number {
  const { fraction, bias } = formats[type];
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> fraction;
  const rest = bits & ((1 << fraction) - 1);
  if (exponent === 2 * bias + 1) return rest === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * rest * 2 ** (1 - bias - fraction);
  return sign * (rest + (1 << fraction)) * 2 ** (exponent - bias - fraction);
}

/** The 16-bit patterns of numbers, each rounded as {@link toHalfBits} rounds. */
export function packHalf(numbers: ArrayLike<number>, type: HalfType): OwnHalves {
  const halves = new Uint16Array(numbers.length);
  if (type === "bfloat16" && numbers instanceof Float32Array) {
    // The upper half of a float32, rounded to the nearest, and to even between two.
    const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
    for (let i = 0; i < bits.length; i++) {
      const whole = bits[i]!;
      const isNumber = (whole & 0x7fffffff) <= 0x7f800000;
      halves[i] = isNumber ? (whole + 0x7fff + ((whole >>> 16) & 1)) >>> 16 : 0x7fc0;
    }
  } else for (let i = 0; i < halves.length; i++) halves[i] = toHalfBits(numbers[i]!, type);
  return halves;
}

/** The numbers that 16-bit patterns stand for, as float32, which holds all of them exactly. */
export function unpackHalf(halves: Uint16Array, type: HalfType): OwnFloats {
  const numbers = new Float32Array(halves.length);
  const bits = new Uint32Array(numbers.buffer);
  if (type === "bfloat16") {
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
    return numbers;
  }
  // A float32's exponents begin 112 lower; infinity and NaN have the largest exponent in both.
  const shift = 112 << 23;
  for (let i = 0; i < bits.length; i++) {
    const half = halves[i]!;
    const exponent = half & 0x7c00;
    if (exponent === 0) numbers[i] = fromHalfBits(half, type);
    else
      bits[i] =
        (((half & 0x7fff) << 13) + (exponent === 0x7c00 ? 2 * shift : shift)) | ((half & 0x8000) << 16);
  }
  return numbers;
}

/** The number at a place of a tensor's data, whatever its type. */
export function numberAt(data: TypedArray, index: number, dtype: DType): number {
  return isPacked(dtype) ? fromHalfBits(data[index]!, dtype) : data[index]!;
}

/** The power of two at or below a positive number, from its bits; far below any 16-bit number for subnormals. */
function exponentOf(x: number): number {
  scratch.setFloat64(0, x);
  return ((scratch.getUint16(0) >>> 4) & 0x7ff) - 1023;
}
const scratch = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

function roundToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
