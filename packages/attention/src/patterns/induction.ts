import type { Tensor } from "@qkv/tensor";
import { patternScore, tokenIds } from "./pattern-score.js";

/**
 * Measures how strongly each head continues earlier text: after "… A B … A", an induction head attends to B. For each
 * query `i`, it adds the weights of the keys `j ≤ i` whose predecessor, `j − 1 < i`, has the query's id; the score is
 * the mean over batches and over queries whose token occurred before.
 *
 * @param weights - `[B, H, T, S]`; queries are the last T of the S positions.
 * @param ids - The tokens' ids, `[S]` for the whole batch or `[B, S]` row-major.
 * @returns `[H]`, each from 0 to 1.
 * @throws {ArgumentError} If no token occurs twice, or the ids are not as many as the keys.
 * @see "In-context Learning and Induction Heads" (2022), arXiv:2209.11895
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { induction } from "@qkv/attention";
 *
 * const weights = tensor([[[[1, 0, 0], [0, 1, 0], [0.125, 0.875, 0]]]]); // [B, H, T, S]
 * induction(weights, [7, 8, 7]).toNested(); // => [0.875]
 * ```
 */
export function induction(weights: Tensor, ids: ArrayLike<number>): Tensor {
  const idOf = tokenIds("induction", ids, weights);
  const inPattern = (query: number, key: number, batch: number) =>
    key > 0 && key <= query && idOf(batch, key - 1) === idOf(batch, query);
  return patternScore("induction", weights, inPattern, "give a text in which a token occurs twice.");
}
