import type { EvictionScore } from "@qkv/attention-contract";
import { tensor } from "@qkv/tensor";
import { checkAttentionOptions, type AttentionOptions } from "../attention.js";
import { causal } from "../masks/causal.js";
import { meanOfGroups } from "./mean-of-groups.js";
import { recentWeights } from "./recent-weights.js";

/**
 * Scores a token by its accumulated attention: the sum of its weights over all queries so far (heavy hitters). In H2O, half of the
 * budget is for the last tokens, which is the option `keepLast` of the cache.
 *
 * @param options - Mask, scale and biases of the layer. Default: causal attention.
 * @returns A score for `evictingCache` of `@qkv/kv-cache`. Query heads that share a key are averaged.
 * @see "H2O: Heavy-Hitter Oracle for Efficient Generative Inference of Large Language Models" (2023), arXiv:2306.14048
 *
 * @example
 * ```ts
 * import { h2o } from "@qkv/attention";
 * import { zeros } from "@qkv/tensor";
 *
 * const x = zeros([1, 1, 2, 4]); // all keys match equally: weights [1, 0] and [½, ½]
 * const positions = Int32Array.of(0, 1);
 * h2o().score({ key: x, value: x, query: x, positions, newTokens: 2 }).toNested(); // => [[[1.5, 0.5]]]
 * ```
 */
export function h2o(options: AttentionOptions = { mask: causal() }): EvictionScore {
  checkAttentionOptions("h2o", options);
  return {
    name: "h2o",
    queryWindow: 1,
    accumulates: true,
    score(candidates) {
      const { key, newTokens, previous } = candidates;
      const weights = recentWeights(candidates, newTokens, options);
      const [, H, T, S] = weights.shape as [number, number, number, number];
      const { data } = weights;
      const sums = new Float64Array(H * S);
      for (let h = 0; h < H; h++)
        for (let t = 0; t < T; t++)
          for (let s = 0; s < S; s++) sums[h * S + s]! += data[(h * T + t) * S + s]!;
      const Hkv = key.shape[1]!;
      const scores = meanOfGroups(sums, H, Hkv);
      const before = S - newTokens;
      previous?.data.forEach((score: number | bigint, i: number) => {
        scores[Math.floor(i / before) * S + (i % before)]! += Number(score);
      });
      return tensor(scores, { shape: [1, Hkv, S] });
    },
  };
}
