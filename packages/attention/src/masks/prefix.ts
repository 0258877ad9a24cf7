import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * Prefix mask: the first `length` tokens see each other, and every later token sees them and everything before itself.
 * Key `j` is visible if `j < length` or `j ≤ i`.
 *
 * `prefix(0)` equals `causal()`, and a prefix as long as the sequence masks nothing. With one length per sequence of the batch, use
 * `or(causal(), padding(lengths))`.
 *
 * @param length - Unit: tokens. An integer, 0 or more.
 * @throws {ArgumentError} If `length` is not an integer of at least 0.
 * @see "Exploring the Limits of Transfer Learning" (2019), arXiv:1910.10683, section 3.2.1
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, prefix } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 4, 2]); // [B, H, T, D]: all keys match equally
 * const { data } = attentionWeights(x, x, { mask: prefix(2) });
 * [...data.slice(0, 4)]; // => [0.5, 0.5, 0, 0]
 * ```
 */
export function prefix(length: number): Mask {
  const fix = "count the tokens that may see each other both ways; 0 is `causal()`.";
  checks("prefix").whole({ length }, { min: 0, unit: "tokens", fix });
  return defineMask({
    name: `prefix(${length})`,
    sees: (query, key) => key < length || key <= query,
    tile: (query, key) =>
      key.first >= length && key.first > query.last
        ? "none"
        : key.last < length || key.last <= query.first
          ? "all"
          : "some",
  });
}
