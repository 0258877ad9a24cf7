import { checks } from "@qkv/core";
import type { Mask, Range, TileClass } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";
import { checkBatches, refuseBatch } from "./check-batches.js";

/**
 * Masks the padding at the end of shorter sequences: sequence b of the batch sees keys `0 … lengths[b] - 1`.
 *
 * @param lengths - Number of real tokens of each sequence, `[B]`. Unit: tokens. Integers, 0 or more. A sequence of length 0 sees no key,
 *   and its outputs are zeros.
 * @throws {ArgumentError} If a length is not an integer of at least 0, or the number of lengths differs from the batch size.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attentionWeights, padding } from "@qkv/attention";
 *
 * const x = randn([2, 1, 3, 4], { seed: 1 }); // [B, H, T, D]
 * const { data } = attentionWeights(x, x, { mask: padding([3, 1]) }); // [B, H, T, S]
 * [data[9], data[10], data[11]]; // => [1, 0, 0]
 * ```
 */
export function padding(lengths: ArrayLike<number>): Mask {
  checks("padding").list(
    { lengths },
    "integer lengths in tokens, 0 or more, one per batch element",
    (length) => Number.isInteger(length) && (length as number) >= 0,
    "count each sequence's real tokens, without padding.",
  );
  const counts = Array.from(lengths);
  const lengthOf = (batch: number): number =>
    counts[batch] ?? refuseBatch("padding", "lengths", counts, batch);
  const rule = {
    sees: (_query: number, key: number, batch: number) => key < lengthOf(batch),
    tile: (_query: Range, key: Range, batch: number): TileClass =>
      key.first >= lengthOf(batch) ? "none" : key.last < lengthOf(batch) ? "all" : "some",
  };
  return defineMask({
    name: `padding([${counts.join(", ")}])`,
    perBatch: true,
    bind(extent) {
      checkBatches("padding", "lengths", counts, extent);
      return rule;
    },
  });
}
