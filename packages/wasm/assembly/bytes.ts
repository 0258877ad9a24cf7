// Dot products of int8: each lane adds four products of bytes to an int32.

/**
 * With the relaxed SIMD instruction. Its result is implementation-defined if a byte of the second operand is larger than 127.
 */
@inline
export function dotFast(signed: v128, sevenBits: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(signed, sevenBits, sum);
  return dotPlain(signed, sevenBits, sum);
}

/** With 16-bit products, exact on every machine. */
@inline
export function dotPlain(signed: v128, sevenBits: v128, sum: v128): v128 {
  const low = i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_low_i8x16_s(signed, sevenBits));
  const high = i32x4.extadd_pairwise_i16x8_s(i16x8.extmul_high_i8x16_s(signed, sevenBits));
  const even = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
  const odd = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  return i32x4.add(sum, i32x4.add(even, odd));
}
