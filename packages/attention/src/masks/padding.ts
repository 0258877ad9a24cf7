import { refuse } from "@qkv/core";
import type { Mask } from "@qkv/tensor";
import { defineMask } from "../mask.js";

/**
 * Hides the padding at the end of shorter sequences: batch `b` sees keys `0 … lengths[b] - 1`.
 *
 * @param lengths - Real tokens of each batch. Unit: tokens. Whole, 0 or more; a batch of length 0 sees nothing, and
 *   its outputs are zeros.
 * @throws {ArgumentError} If a length is not a whole number of at least 0, or a batch has none.
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
  const own = Array.from(lengths);
  const wrong = own.find((length) => !Number.isInteger(length) || length < 0);
  if (wrong !== undefined) {
    refuse(
      "padding",
      "lengths",
      wrong,
      "whole numbers of tokens, 0 or more, one per batch",
      "count each sequence's real tokens, without padding.",
    );
  }
  const lengthOf = (batch: number): number => {
    const length = own[batch];
    if (length !== undefined) return length;
    refuse(
      "padding",
      "lengths",
      `${own.length} lengths`,
      `one per batch, and there is a batch ${batch}`,
      "give as many lengths as the query has batches.",
    );
  };
  return defineMask({
    name: `padding([${own.join(", ")}])`,
    perBatch: true,
    sees: (_query, key, batch) => key < lengthOf(batch),
    tile: (_query, key, batch) =>
      key.first >= lengthOf(batch) ? "none" : key.last < lengthOf(batch) ? "all" : "some",
  });
}
