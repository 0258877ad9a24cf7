import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * Sparse Transformer's strided pattern: each query sees the `stride` keys up to itself, and before them every
 * `stride`-th. Any two tokens are two steps apart, and with a stride near √S a query does about 2 √S dot products.
 *
 * @param stride - Unit: tokens. An integer, 1 or more; 1 is `causal()`.
 * @throws {ArgumentError} If `stride` is not an integer of at least 1.
 * @see "Generating Long Sequences with Sparse Transformers" (2019), arXiv:1904.10509, section 4.2
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, strided } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 6, 2]); // [B, H, T, D]: all keys match equally
 * [...attentionWeights(x, x, { mask: strided(2) }).data.slice(-6)]; // => [0, 0.25, 0, 0.25, 0.25, 0.25]
 * ```
 */
export function strided(stride: number): Mask {
  const fix = "choose about the square root of the sequence length; 1 is `causal()`.";
  checks("strided").whole({ stride }, { min: 1, unit: "tokens", fix });
  return defineMask({
    name: `strided(${stride})`,
    sees(query, key) {
      const back = query - key;
      return back >= 0 && (back < stride || back % stride === 0);
    },
    tile(query, key) {
      // Every distance between these two occurs in the tile.
      const [nearest, farthest] = [query.first - key.last, query.last - key.first];
      const start = Math.max(nearest, 0);
      const first = start < stride ? start : stride * Math.ceil(start / stride);
      if (first > farthest) return "none";
      const whole = farthest <= stride || stride === 1 || nearest === farthest;
      return whole && nearest === first ? "all" : "some";
    },
  });
}
