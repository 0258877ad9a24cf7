// Inverted dropout of contiguous numbers. A work item is a chunk of `step` numbers, a multiple of eight.
import { loadPartial, storePartial } from "./lanes";
import { fourth, philox4, second, third } from "./philox";

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
  const factor = f32x4.splat(scale);
  const none = i32x4.splat(0);
  for (let i = item * step; i < end; i += 8) {
    const blocks = i32x4.add(i32x4.splat(i >> 1), i32x4(0, 1, 2, 3));
    const first = philox4(blocks, none, none, none, key0, key1);
    const even = below(first, second, high, low);
    const odd = below(third, fourth, high, low);
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

/** Lanes whose 52 bits are below those given. */
@inline
function below(words: v128, more: v128, high: i32, low: i32): v128 {
  const bound = i32x4.splat(high);
  const last = i32x4.lt_u(i32x4.shr_u(more, 12), i32x4.splat(low));
  return v128.or(i32x4.lt_u(words, bound), v128.and(i32x4.eq(words, bound), last));
}
