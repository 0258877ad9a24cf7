import type { Tensor } from "@qkv/tensor";
import { patternScore, tokenIds } from "./pattern-score.js";

/**
 * Measures the attention of each head to earlier occurrences of the query's own token: the sum of the weights of the
 * keys `j < i` with the same id, averaged over batches and over the queries that have such a key. The query itself does
 * not count.
 *
 * @param weights - `[B, H, T, S]`; queries are the last T of the S positions.
 * @param ids - The tokens' ids, `[S]` for the whole batch or `[B, S]` row-major.
 * @returns `[H]`, each from 0 to 1.
 * @throws {ArgumentError} If no token occurs twice, or the ids are not as many as the keys.
 * @see "Interpretability in the Wild" (2022), arXiv:2211.00593, section 3.1, duplicate token heads
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { sameToken } from "@qkv/attention";
 *
 * const weights = tensor([[[[1, 0, 0], [0.5, 0.5, 0], [0.75, 0, 0.25]]]]); // [B, H, T, S]
 * sameToken(weights, [7, 8, 7]).toNested(); // => [0.75]
 * ```
 */
export function sameToken(weights: Tensor, ids: ArrayLike<number>): Tensor {
  const idOf = tokenIds("sameToken", ids, weights);
  const inPattern = (query: number, key: number, batch: number) =>
    key < query && idOf(batch, key) === idOf(batch, query);
  return patternScore("sameToken", weights, inPattern, "give a text in which a token occurs twice.");
}
