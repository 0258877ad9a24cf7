// Loads of float32, bfloat16 and float16 as float32, which holds all of them exactly. As type parameters of kernels, f32 stands
// for float32, u16 for bfloat16 and i16 for float16.

/** Loads four consecutive numbers. */
@inline
export function load4<T>(from: usize): v128 {
  if (isFloat<T>()) return v128.load(from);
  const halves = v128.load16x4_u(from);
  // A bfloat16 is the upper half of a float32.
  return isSigned<T>() ? fromFloat16(halves) : i32x4.shl(halves, 16);
}

/** Loads one number. */
@inline
export function load1<T>(from: usize): f32 {
  if (isFloat<T>()) return load<f32>(from);
  const half = <u32>load<u16>(from);
  if (isSigned<T>()) return f32x4.extract_lane(fromFloat16(i32x4.splat(half)), 0);
  return reinterpret<f32>(half << 16);
}

/** Converts float16 in the lower halves of four words. */
@inline
function fromFloat16(halves: v128): v128 {
  const magnitude = v128.and(halves, i32x4.splat(0x7fff));
  // The exponent bias of float32 is larger by 112. Infinity and NaN, with all exponent bits set, are shifted twice.
  const shift = i32x4.splat(112 << 23);
  const infinityShift = v128.and(i32x4.ge_s(magnitude, i32x4.splat(0x7c00)), shift);
  const normal = i32x4.add(i32x4.add(i32x4.shl(magnitude, 13), shift), infinityShift);
  // Subnormal numbers are multiples of 2^-24.
  const subnormal = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(5.9604644775390625e-8));
  const isSubnormal = i32x4.lt_s(magnitude, i32x4.splat(0x400));
  const sign = i32x4.shl(v128.and(halves, i32x4.splat(0x8000)), 16);
  return v128.or(v128.bitselect(subnormal, normal, isSubnormal), sign);
}
