// Philox-4x32-10, four counters at a time: the generator of the plain device's random numbers.

/** The second, third and fourth words of the last call. */
export let second: v128 = i32x4(0, 0, 0, 0);
export let third: v128 = i32x4(0, 0, 0, 0);
export let fourth: v128 = i32x4(0, 0, 0, 0);

/** The first words of four counters. */
export function philox4(c0: v128, c1: v128, c2: v128, c3: v128, k0: i32, k1: i32): v128 {
  const m0 = i32x4.splat(<i32>0xd2511f53);
  const m1 = i32x4.splat(<i32>0xcd9e8d57);
  for (let round = 0; round < 10; round++) {
    const high0 = highHalves(m0, c0);
    const low0 = i32x4.mul(m0, c0);
    const high1 = highHalves(m1, c2);
    const low1 = i32x4.mul(m1, c2);
    c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(k0));
    c1 = low1;
    c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(k1));
    c3 = low0;
    k0 += <i32>0x9e3779b9;
    k1 += <i32>0xbb67ae85;
  }
  second = c1;
  third = c2;
  fourth = c3;
  return c0;
}

/** The upper halves of four products of 32 by 32 bits. */
@inline
function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}
