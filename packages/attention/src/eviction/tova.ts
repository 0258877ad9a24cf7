import type { EvictionScore } from "@qkv/attention-contract";
import { tensor } from "@qkv/tensor";
import { checkAttentionOptions, type AttentionOptions } from "../attention.js";
import { causal } from "../masks/causal.js";
import { recentWeights } from "./recent-weights.js";

/**
 * Scores a token by the attention of the last query alone, averaged over all heads (Token Omission Via Attention).
 *
 * @param options - Mask, scale and biases of the layer. Default: causal attention.
 * @returns A score for `evictingCache` of `@qkv/kv-cache`.
 * @see "Transformers are Multi-State RNNs" (2024), arXiv:2401.06104
 *
 * @example
 * ```ts
 * import { tova } from "@qkv/attention";
 * import { zeros } from "@qkv/tensor";
 *
 * const x = zeros([1, 1, 2, 4]); // all keys match equally
 * const positions = Int32Array.of(0, 1);
 * tova().score({ key: x, value: x, query: x, positions, newTokens: 2 }).toNested(); // => [[[0.5, 0.5]]]
 * ```
 */
export function tova(options: AttentionOptions = { mask: causal() }): EvictionScore {
  checkAttentionOptions("tova", options);
  return {
    name: "tova",
    queryWindow: 1,
    accumulates: false,
    score(candidates) {
      const weights = recentWeights(candidates, 1, options);
      const [, H, , S] = weights.shape as [number, number, number, number];
      const { data } = weights;
      const Hkv = candidates.key.shape[1]!;
      const mean = Float64Array.from({ length: S }, (_, s) => {
        let sum = 0;
        for (let h = 0; h < H; h++) sum += data[h * S + s]!;
        return sum / H;
      });
      const scores = Float64Array.from({ length: Hkv * S }, (_, i) => mean[i % S]!);
      return tensor(scores, { shape: [1, Hkv, S] });
    },
  };
}
