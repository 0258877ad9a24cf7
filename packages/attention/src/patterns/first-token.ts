import type { Tensor } from "@qkv/tensor";
import { patternScore } from "./pattern-score.js";

/**
 * Measures the attention of each head to the first token of the sequence, where heads put their weight when nothing
 * matches: the mean weight of key 0 over batches and all queries except the first, which has no choice under a causal
 * mask.
 *
 * @param weights - `[B, H, T, S]`; queries are the last T of the S positions.
 * @returns `[H]`, each from 0 to 1.
 * @throws {ArgumentError} If there is no query after the first position.
 * @see "Efficient Streaming Language Models with Attention Sinks" (2023), arXiv:2309.17453
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { firstToken } from "@qkv/attention";
 *
 * const weights = tensor([[[[1, 0, 0], [0.75, 0.25, 0], [0.25, 0.5, 0.25]]]]); // [B, H, T, S]
 * firstToken(weights).toNested(); // => [0.5]
 * ```
 */
export function firstToken(weights: Tensor): Tensor {
  const fix = "give the weights of two tokens or more.";
  return patternScore("firstToken", weights, (_, key) => key === 0, fix, 1);
}
