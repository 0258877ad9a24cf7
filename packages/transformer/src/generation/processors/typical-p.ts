import { checks } from "@qkv/core";
import { entropy, logSoftmax } from "../log-softmax.js";
import type { LogitsProcessor } from "./logits-processor.js";
import { byScore, checkMinTokensToKeep, type TruncationOptions } from "./min-tokens-to-keep.js";

/**
 * Keeps the tokens whose information `-log p` is nearest to the entropy, until their probabilities sum to `mass` (locally
 * typical sampling).
 *
 * @param mass - Above 0 and below 1.
 * @throws {ArgumentError} If it is not a number between 0 and 1.
 * @see "Locally Typical Sampling" (2022), arXiv:2202.00666
 *
 * @example
 * ```ts
 * import { processLogits, typicalP } from "@qkv/transformer/processors";
 *
 * const logits = [0.5, 0.25, 0.2, 0.05].map(Math.log);
 * processLogits(logits, [typicalP(0.3)], { ids: [0] }).map(Math.exp)[3]; // => 0
 * ```
 */
export function typicalP(mass: number, options?: TruncationOptions): LogitsProcessor {
  const check = checks("typicalP");
  check.finite({ mass }, { above: 0, below: 1, fix: "leave the processor out to keep all tokens." });
  const minTokensToKeep = checkMinTokensToKeep(check, options);
  return {
    name: `typicalP(${mass})`,
    process(scores) {
      const logProbs = logSoftmax(scores);
      const entropyOfScores = entropy(logProbs);
      const distance = logProbs.map((logProb) => Math.abs(-logProb - entropyOfScores));
      const nearest = byScore(distance.map((value) => -value));
      let [total, last] = [0, 0];
      for (const id of nearest) {
        total += Math.exp(logProbs[id]!);
        if (!(total < mass)) break;
        last += 1;
      }
      const farthest = distance[nearest[Math.min(last, nearest.length - 1)]!]!;
      for (const id of nearest.slice(minTokensToKeep)) if (distance[id]! > farthest) scores[id] = -Infinity;
    },
  };
}
