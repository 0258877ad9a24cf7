import { checks } from "@qkv/core";
import type { LogitsProcessor } from "./logits-processor.js";
import { checkMinTokensToKeep, cutoffProcessor, type TruncationOptions } from "./min-tokens-to-keep.js";

/**
 * Removes all but the `k` most likely tokens and those as likely as the k-th.
 *
 * @param k - Number of tokens, 1 or more.
 * @throws {ArgumentError} If it is not an integer of at least 1.
 * @see "Hierarchical Neural Story Generation" (2018), arXiv:1805.04833
 *
 * @example
 * ```ts
 * import { processLogits, topK } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 3, 2], [topK(2)], { ids: [0] })]; // => [-Infinity, 3, 2]
 * ```
 */
export function topK(k: number, options?: TruncationOptions): LogitsProcessor {
  const check = checks("topK");
  check.whole({ k }, { min: 1, unit: "tokens", fix: "leave the processor out to choose among all tokens." });
  const numKept = Math.max(k, checkMinTokensToKeep(check, options));
  return cutoffProcessor(`topK(${k})`, numKept, () => Infinity);
}
