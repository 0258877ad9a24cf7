import type { Tensor } from "@qkv/tensor";
import { patternScore } from "./pattern-score.js";

/**
 * Measures the attention of each head to the previous token: the mean weight of key `i − 1` for query `i`, over batches
 * and all queries except the first. 1 means always, 0 never.
 *
 * @param weights - `[B, H, T, S]`; queries are the last T of the S positions.
 * @returns `[H]`, each from 0 to 1.
 * @throws {ArgumentError} If there is no query after the first position.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { previousToken } from "@qkv/attention";
 *
 * const weights = tensor([[[[1, 0], [0.75, 0.25]]]]); // [B, H, T, S]
 * previousToken(weights).toNested(); // => [0.75]
 * ```
 */
export function previousToken(weights: Tensor): Tensor {
  const fix = "give the weights of two tokens or more.";
  return patternScore("previousToken", weights, (query, key) => key === query - 1, fix);
}
