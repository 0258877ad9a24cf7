import { checks } from "@qkv/core";
import { logSoftmax } from "../log-softmax.js";
import type { LogitsProcessor } from "./logits-processor.js";
import { byScore, checkMinTokensToKeep, type TruncationOptions } from "./min-tokens-to-keep.js";

/**
 * Removes the least likely tokens, which together have a probability of at most `1 - p` (nucleus sampling).
 *
 * @param p - From 0 to 1.
 * @throws {ArgumentError} If it is not a number from 0 to 1.
 * @see "The Curious Case of Neural Text Degeneration" (2019), arXiv:1904.09751
 *
 * @example
 * ```ts
 * import { processLogits, topP } from "@qkv/transformer/processors";
 *
 * const logits = [0.6, 0.3, 0.1].map(Math.log);
 * processLogits(logits, [topP(0.8)], { ids: [0] }).map(Math.exp)[2]; // => 0
 * ```
 */
export function topP(p: number, options?: TruncationOptions): LogitsProcessor {
  const check = checks("topP");
  check.finite({ p }, { min: 0, max: 1, fix: "use 0.9 to leave out the unlikely tenth." });
  const minTokensToKeep = checkMinTokensToKeep(check, options);
  return {
    name: `topP(${p})`,
    process(scores) {
      const logProbs = logSoftmax(scores);
      const ascending = byScore(scores).reverse();
      let total = 0;
      for (const id of ascending.slice(0, ascending.length - minTokensToKeep)) {
        total += Math.exp(logProbs[id]!);
        if (total > 1 - p) break;
        scores[id] = -Infinity;
      }
    },
  };
}
