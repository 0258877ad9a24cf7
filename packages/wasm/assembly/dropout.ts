// Inverted dropout of contiguous numbers. A work item is `step` numbers, a multiple of eight.
import { loadPartial, storePartial } from "./lanes";
import {
  SIGN_BIT,
  highHalves,
  M0,
  multipliers,
  ROUND_KEY_BYTES,
  roundKeys,
  ROUND_KEYS_BYTES,
} from "./philox";

/** Bytes of scratch memory of a thread: a partial vector, and the keys of the rounds. */
export function dropoutScratch(): i32 {
  return 16 + <i32>ROUND_KEYS_BYTES;
}

/**
 * Number n reads words 0 and 1 of Philox block n / 2 if it is even, words 2 and 3 if it is odd. The first word and 20 bits of the
 * second form an integer of 52 bits; numbers whose integer is below the threshold (`high`, `low`) are dropped.
 */
export function dropout(
  item: i32,
  scratch: usize,
  from: usize,
  to: usize,
  n: i32,
  step: i32,
  key0: i32,
  key1: i32,
  high: i32,
  low: i32,
  scale: f32,
): void {
  const end = min((item + 1) * step, n);
  const roundKeysAt = scratch + 16;
  const roundKeysEnd = roundKeysAt + ROUND_KEYS_BYTES;
  roundKeys(key0, key1, roundKeysAt);
  const m0 = v128.load(multipliers);
  const m1 = v128.load(multipliers, 16);
  const factor = f32x4.splat(scale);
  const signBit = i32x4.splat(SIGN_BIT); // unsigned numbers are compared as signed ones
  const bound = i32x4.splat(high ^ SIGN_BIT);
  // The counter is the block number and three zeros, so one product of each of the first two rounds is the same for all blocks.
  const same = <u64>M0 * <u64>(<u32>key0);
  const c2 = i32x4.splat((<i32>(same >>> 32)) ^ load<i32>(roundKeysAt, ROUND_KEY_BYTES + 16));
  const c3 = i32x4.splat(<i32>same);
  for (let i = item * step; i < end; i += 8) {
    const blocks = i32x4.add(i32x4.splat(i >> 1), i32x4(0, 1, 2, 3));
    const second = v128.xor(highHalves(m0, blocks), v128.load(roundKeysAt, 16));
    let w0 = v128.xor(highHalves(m1, second), v128.load(roundKeysAt, ROUND_KEY_BYTES));
    let w1 = i32x4.mul(m1, second);
    let w2 = v128.xor(i32x4.mul(m0, blocks), c2);
    let w3 = c3;
    for (let round = roundKeysAt + 2 * ROUND_KEY_BYTES; round < roundKeysEnd; round += ROUND_KEY_BYTES) {
      const upper = highHalves(m0, w0);
      const lower = i32x4.mul(m0, w0);
      w0 = v128.xor(highHalves(m1, w2), v128.xor(w1, v128.load(round)));
      w1 = i32x4.mul(m1, w2);
      w2 = v128.xor(upper, v128.xor(w3, v128.load(round, 16)));
      w3 = lower;
    }
    w0 = v128.xor(w0, signBit);
    w2 = v128.xor(w2, signBit);
    let even = i32x4.lt_s(w0, bound);
    let odd = i32x4.lt_s(w2, bound);
    const evenTies = i32x4.eq(w0, bound);
    const oddTies = i32x4.eq(w2, bound);
    if (v128.any_true(v128.or(evenTies, oddTies))) {
      even = v128.or(even, v128.and(evenTies, lastBitsBelow(w1, low)));
      odd = v128.or(odd, v128.and(oddTies, lastBitsBelow(w3, low)));
    }
    const at = (<usize>i) << 2;
    const left = f32x4.mul(loadPartial(from + at, end - i, scratch), factor);
    storePartial(to + at, v128.andnot(left, v128.shuffle<i32>(even, odd, 0, 4, 1, 5)), end - i, scratch);
    if (end - i <= 4) return;
    const right = f32x4.mul(loadPartial(from + at + 16, end - i - 4, scratch), factor);
    storePartial(
      to + at + 16,
      v128.andnot(right, v128.shuffle<i32>(even, odd, 2, 6, 3, 7)),
      end - i - 4,
      scratch,
    );
  }
}

/** Mask of lanes whose last 20 of 52 bits are below those of the threshold. */
@inline
function lastBitsBelow(words: v128, low: i32): v128 {
  return i32x4.lt_u(i32x4.shr_u(words, 12), i32x4.splat(low));
}
