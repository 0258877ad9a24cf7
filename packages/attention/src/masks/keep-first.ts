import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * Lets every query see the first `count` keys (attention sinks), also after a sliding window has moved past them. Models put
 * attention weight on these keys when no other key matches, and their output degrades without them.
 *
 * Combined with a window, `and(causal(), or(keepFirst(4), slidingWindow(256)))`, each query needs 260 dot products instead of `S`,
 * and a cache holds 260 tokens.
 *
 * @param count - Number of keys that stay visible. Unit: tokens. An integer, 0 or more.
 * @throws {ArgumentError} If `count` is not an integer of at least 0.
 * @see "Efficient Streaming Language Models with Attention Sinks" (2023), arXiv:2309.17453
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { and, attentionWeights, causal, keepFirst, or, slidingWindow } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 4, 2]); // [B, H, T, D]: all keys match equally
 * const mask = and(causal(), or(keepFirst(1), slidingWindow(1)));
 * [...attentionWeights(x, x, { mask }).data.slice(-4)]; // => [0.5, 0, 0, 0.5]
 * ```
 */
export function keepFirst(count: number): Mask {
  const fix = "count the tokens at the start that stay visible; 0 keeps none.";
  checks("keepFirst").whole({ count }, { min: 0, unit: "tokens", fix });
  return defineMask({
    name: `keepFirst(${count})`,
    sees: (_query, key) => key < count,
    tile: (_query, key) => (key.first >= count ? "none" : key.last < count ? "all" : "some"),
  });
}
