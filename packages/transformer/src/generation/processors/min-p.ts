import { checks } from "@qkv/core";
import type { LogitsProcessor } from "./logits-processor.js";
import {
  checkMinTokensToKeep,
  cutoffProcessor,
  scoreAtRank,
  type TruncationOptions,
} from "./min-tokens-to-keep.js";

/**
 * Removes tokens less likely than `p` times the most likely one.
 *
 * @param p - From 0 to 1.
 * @throws {ArgumentError} If it is not a number from 0 to 1.
 * @see "Turning Up the Heat: Min-p Sampling" (2024), arXiv:2407.01082
 *
 * @example
 * ```ts
 * import { minP, processLogits } from "@qkv/transformer/processors";
 *
 * const logits = [0.6, 0.35, 0.05].map(Math.log);
 * processLogits(logits, [minP(0.1)], { ids: [0] }).map(Math.exp)[2]; // => 0
 * ```
 */
export function minP(p: number, options?: TruncationOptions): LogitsProcessor {
  const check = checks("minP");
  check.finite({ p }, { min: 0, max: 1, fix: "use about 0.05 to leave out the unlikely." });
  const minTokensToKeep = checkMinTokensToKeep(check, options);
  // A fraction p of the largest probability is a distance of log p from the largest score.
  return cutoffProcessor(`minP(${p})`, minTokensToKeep, (scores) => scoreAtRank(scores, 1) + Math.log(p));
}
