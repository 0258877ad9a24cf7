import { checks } from "@qkv/core";
import type { EvictionScore } from "@qkv/attention-contract";
import { tensor } from "@qkv/tensor";
import { checkAttentionOptions, type AttentionOptions } from "../attention.js";
import { causal } from "../masks/causal.js";
import { meanOfGroups } from "./mean-of-groups.js";
import { recentWeights } from "./recent-weights.js";

export type SnapKVOptions = {
  /** Number of last queries whose weights are used (observation window); their tokens are retained. Unit: tokens. Default 32. */
  window?: number;
  /** Number of neighbouring tokens over which weights are averaged, the token itself included: an odd number. Default 5. */
  kernelSize?: number;
  /** Mask, scale and biases of the layer. Default: causal attention. */
  attention?: AttentionOptions;
};

/**
 * Scores a token by the attention of the last `window` queries: the mean of their weights, averaged over `kernelSize` neighbouring
 * tokens, so that the neighbours of an important token are retained with it.
 *
 * @returns A score for `evictingCache` of `@qkv/kv-cache`. Tokens of the window get the highest score.
 * @throws {ArgumentError} If `window` is not an integer of at least 1, or `kernelSize` is not odd.
 * @see "SnapKV: LLM Knows What You are Looking for Before Generation" (2024), arXiv:2404.14469
 *
 * @example
 * ```ts
 * import { snapKV } from "@qkv/attention";
 * import { zeros } from "@qkv/tensor";
 *
 * const x = zeros([1, 1, 4, 2]); // all keys match equally: the last query gives ¼ to each
 * const positions = Int32Array.of(0, 1, 2, 3);
 * const score = snapKV({ window: 1, kernelSize: 1 });
 * score.score({ key: x, value: x, query: x, positions, newTokens: 4 }).toNested(); // => [[[0.25, 0.25, 0.25, 0.25]]]
 * ```
 */
export function snapKV(options?: SnapKVOptions): EvictionScore {
  const check = checks("snapKV");
  const names = ["window", "kernelSize", "attention"] as const;
  const { window = 32, kernelSize = 5, attention = { mask: causal() } } = check.options(options, names);
  check.whole({ window }, { min: 1, unit: "tokens" });
  checkAttentionOptions("snapKV", attention, "attention");
  const fix = "give 5, or 1 to average over no neighbours.";
  const isOdd = (n: unknown) => Number.isInteger(n) && (n as number) > 0 && (n as number) % 2 === 1;
  check.each({ kernelSize }, isOdd, "an odd number of tokens, 1 or more", fix);
  const reach = (kernelSize - 1) / 2;
  return {
    name: `snapKV(window ${window}, kernel ${kernelSize})`,
    queryWindow: window,
    accumulates: false,
    score(candidates) {
      const weights = recentWeights(candidates, window, attention);
      const [, H, T, S] = weights.shape as [number, number, number, number];
      const { data } = weights;
      const before = S - T; // tokens that do not belong to the window
      const means = new Float64Array(H * before);
      for (let h = 0; h < H; h++)
        for (let t = 0; t < T; t++)
          for (let s = 0; s < before; s++) means[h * before + s]! += data[(h * T + t) * S + s]! / T;
      // Zero padding at both ends, as in `avg_pool1d` with padding.
      const pooled = means.map((_, i) => {
        const s = i % before;
        let sum = 0;
        for (let n = Math.max(0, s - reach); n <= Math.min(before - 1, s + reach); n++)
          sum += means[i - s + n]!;
        return sum / kernelSize;
      });
      const Hkv = candidates.key.shape[1]!;
      const headScores = before > 0 ? meanOfGroups(pooled, H, Hkv) : pooled;
      const highest = headScores.reduce((most, score) => Math.max(most, score), 0);
      const scores = Float64Array.from({ length: Hkv * S }, (_, i) =>
        i % S < before ? headScores[Math.floor(i / S) * before + (i % S)]! : highest,
      );
      return tensor(scores, { shape: [1, Hkv, S] });
    },
  };
}
