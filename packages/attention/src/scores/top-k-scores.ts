import { checks } from "@qkv/core";
import { greaterEqual, slice, stopGradient, topK, where } from "@qkv/tensor";
import type { ScoreForm } from "../score-form.js";

/**
 * Keeps the `k` largest scores of each query and hides the other keys. Of equal scores at the border all are kept. Keys
 * that are not kept receive no gradient. It saves no work by itself: every score is computed first.
 *
 * @param k - Number of keys for each query. 1 or more; as many as there are keys changes nothing.
 * @returns A form for {@link plainAttention}.
 * @throws {ArgumentError} If `k` is not an integer of at least 1.
 * @see "Explicit Sparse Transformer" (2019), arXiv:1912.11637
 *
 * @example
 * ```ts
 * import { plainAttention, topKScores } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 *
 * const query = tensor([[[[1]]]]); // [B, H, T, D]
 * const key = tensor([[[[3], [1], [3]]]]);
 * plainAttention(query, key, key, { forms: [topKScores(2)] }).weights.toNested(); // => [[[[0.5, 0, 0.5]]]]
 * ```
 */
export function topKScores(k: number): ScoreForm {
  checks("topKScores").whole({ k }, { min: 1, unit: "keys" });
  return {
    name: `topKScores(${k})`,
    scores(scores, { visible }) {
      const S = scores.shape[3]!;
      if (k >= S) return scores;
      const { values } = topK(stopGradient(where(visible, scores, -Infinity)), k);
      const least = slice(values, 3, k - 1, k); // [B, H, T, 1]
      return where(greaterEqual(scores, least), scores, -Infinity);
    },
  };
}
