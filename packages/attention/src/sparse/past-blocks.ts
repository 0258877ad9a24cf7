import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * The mask of compressed attention: keys stand for blocks of tokens, and a query sees a block when all of it is at or
 * before the query's own position. The first `blockSize − 1` queries see none.
 *
 * Queries are counted from 0: the call has a query for every token from the first on.
 *
 * @param blockSize - Tokens of a block. An integer, 1 or more; 1 is `causal({ align: "top-left" })`.
 * @throws {ArgumentError} If the size is not an integer of at least 1.
 * @see "Native Sparse Attention" (2025), arXiv:2502.11089, section 3.3
 *
 * @example
 * ```ts
 * import { attentionWeights, pastBlocks } from "@qkv/attention";
 * import { zeros } from "@qkv/tensor";
 *
 * const [query, key] = [zeros([1, 1, 4, 2]), zeros([1, 1, 2, 2])]; // four tokens, two blocks of two
 * attentionWeights(query, key, { mask: pastBlocks(2) }).toNested(); // => [[[[0, 0], [1, 0], [1, 0], [0.5, 0.5]]]]
 * ```
 */
export function pastBlocks(blockSize: number): Mask {
  checks("pastBlocks").whole({ blockSize }, { min: 1, unit: "tokens" });
  return defineMask({
    name: `pastBlocks(${blockSize})`,
    bind: ({ queryLength, keyLength }) => ({
      // A mask counts the queries as the last ones before position keyLength; the difference counts them from 0.
      sees: (query, key) => (key + 1) * blockSize - 1 <= query - (keyLength - queryLength),
    }),
  });
}
