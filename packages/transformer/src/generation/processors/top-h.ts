import { checks } from "@qkv/core";
import { entropy, logSoftmax } from "../log-softmax.js";
import type { LogitsProcessor } from "./logits-processor.js";
import { byScore } from "./min-tokens-to-keep.js";

/**
 * Keeps the most likely tokens while their part of the entropy is at most the fraction `share`. The entropy is that of the 100
 * most likely tokens; all others are removed.
 *
 * @param share - Above 0, at most 1.
 * @throws {ArgumentError} If it is not a number above 0 and at most 1.
 * @see "Top-H Decoding: Adapting the Creativity and Coherence with Bounded Entropy" (2025), arXiv:2509.02510
 *
 * @example
 * ```ts
 * import { processLogits, topH } from "@qkv/transformer/processors";
 *
 * const logits = [0.5, 0.3, 0.2].map(Math.log);
 * processLogits(logits, [topH(0.4)], { ids: [0] }).map(Math.exp)[2]; // => 0
 * ```
 */
export function topH(share: number): LogitsProcessor {
  checks("topH").finite({ share }, { above: 0, max: 1, fix: "use about 0.4." });
  return {
    name: `topH(${share})`,
    process(scores) {
      const likeliest = byScore(scores).slice(0, 100);
      const logProbs = logSoftmax(likeliest.map((id) => scores[id]!));
      const limit = share * entropy(logProbs);
      let [numKept, sum] = [0, 0];
      for (const logProb of logProbs) {
        if (logProb === -Infinity) break;
        sum -= logProb * Math.exp(logProb);
        if (numKept > 0 && !(sum <= limit)) break;
        numKept += 1;
      }
      const keptIds = new Set(likeliest.slice(0, numKept));
      for (let id = 0; id < scores.length; id++) if (!keptIds.has(id)) scores[id] = -Infinity;
    },
  };
}
