// Philox-4x32-10, the random generator of all devices. A round with the key (k0, k1) maps the counter (c0, c1, c2, c3) to
// (high(m1 c2) ^ c1 ^ k0, low(m1 c2), high(m0 c0) ^ c3 ^ k1, low(m0 c0)).

export const M0: u32 = 0xd2511f53;
export const M1: u32 = 0xcd9e8d57;
const W0: i32 = <i32>0x9e3779b9;
const W1: i32 = <i32>0xbb67ae85;

/** Both multipliers in all lanes, in memory: engines would build a constant vector again at each use. */
export const multipliers: usize = memory.data<u32>([M0, M0, M0, M0, M1, M1, M1, M1]);

/** Bytes of the key of a round, and of the keys of all ten rounds. */
export const ROUND_KEY_BYTES: usize = 32;
export const ROUND_KEYS_BYTES: usize = 320;

/** Writes the key of each round: four lanes of k0, then four of k1. */
export function roundKeys(k0: i32, k1: i32, to: usize): void {
  for (const end = to + ROUND_KEYS_BYTES; to < end; to += ROUND_KEY_BYTES) {
    v128.store(to, i32x4.splat(k0));
    v128.store(to, i32x4.splat(k1), 16);
    k0 += W0;
    k1 += W1;
  }
}

/** Exclusive or with this maps unsigned integers to signed ones in the same order, which SIMD compares in one instruction. */
export const SIGN_BIT: i32 = <i32>0x80000000;

/** The upper halves of four products of 32 by 32 bits. */
@inline
export function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}
