import { checks } from "@qkv/core";
import { entropy, logSoftmax } from "../log-softmax.js";
import type { LogitsProcessor } from "./logits-processor.js";
import { checkMinTokensToKeep, cutoffProcessor, type TruncationOptions } from "./min-tokens-to-keep.js";

/**
 * Removes tokens with a probability below `epsilon`.
 *
 * @param epsilon - Above 0 and below 1; about 0.0005 is usual.
 * @throws {ArgumentError} If it is not a number between 0 and 1.
 * @see "Truncation Sampling as Language Model Desmoothing" (2022), arXiv:2210.15191
 *
 * @example
 * ```ts
 * import { epsilonCutoff, processLogits } from "@qkv/transformer/processors";
 *
 * const logits = [0.9, 0.08, 0.02].map(Math.log);
 * processLogits(logits, [epsilonCutoff(0.05)], { ids: [0] }).map(Math.exp)[2]; // => 0
 * ```
 */
export function epsilonCutoff(epsilon: number, options?: TruncationOptions): LogitsProcessor {
  const minTokensToKeep = checkCutoff("epsilonCutoff", epsilon, options);
  return cutoffProcessor(`epsilonCutoff(${epsilon})`, minTokensToKeep, (scores) =>
    scoreForLogProb(scores, Math.log(epsilon)),
  );
}

/**
 * Removes tokens with a probability below η, the smaller of `epsilon` and `√epsilon · exp(-entropy)`: the more uncertain the model,
 * the more tokens remain.
 *
 * @param epsilon - Above 0 and below 1; about 0.0005 is usual.
 * @throws {ArgumentError} If it is not a number between 0 and 1.
 * @see "Truncation Sampling as Language Model Desmoothing" (2022), arXiv:2210.15191
 *
 * @example
 * ```ts
 * import { etaCutoff, processLogits } from "@qkv/transformer/processors";
 *
 * const logits = [0.9, 0.08, 0.02].map(Math.log);
 * processLogits(logits, [etaCutoff(0.05)], { ids: [0] }).map(Math.exp)[2]; // => 0
 * ```
 */
export function etaCutoff(epsilon: number, options?: TruncationOptions): LogitsProcessor {
  const minTokensToKeep = checkCutoff("etaCutoff", epsilon, options);
  return cutoffProcessor(`etaCutoff(${epsilon})`, minTokensToKeep, (scores) => {
    const eta = Math.min(Math.log(epsilon), Math.log(epsilon) / 2 - entropy(logSoftmax(scores)));
    return scoreForLogProb(scores, eta);
  });
}

function checkCutoff(fn: string, epsilon: number, options: TruncationOptions | undefined): number {
  const check = checks(fn);
  check.finite({ epsilon }, { above: 0, below: 1, fix: "use about 0.0005." });
  return checkMinTokensToKeep(check, options);
}

/** The score of a log-probability: scores differ from log-probabilities by a constant. */
function scoreForLogProb(scores: Float64Array, logProb: number): number {
  const logProbs = logSoftmax(scores);
  const finite = scores.findIndex((score) => score > -Infinity);
  return logProb + (scores[finite] ?? 0) - (logProbs[finite] ?? 0);
}
