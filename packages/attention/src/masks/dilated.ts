import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * A sliding window with gaps: each query sees itself and every `dilation`-th key before it, `windowSize` keys in total.
 * It reaches `(windowSize - 1) * dilation` tokens back at the cost of `windowSize` dot products.
 *
 * `dilated(w, 1)` is `slidingWindow(w)`.
 *
 * @param windowSize - Keys seen by one query, itself included. Unit: tokens. An integer, 1 or more.
 * @param dilation - Distance from one seen key to the next. Unit: tokens. An integer, 1 or more.
 * @throws {ArgumentError} If either is not an integer of at least 1.
 * @see "Longformer" (2020), arXiv:2004.05150, section 3.1
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, dilated } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 5, 2]); // [B, H, T, D]: all keys match equally
 * [...attentionWeights(x, x, { mask: dilated(2, 3) }).data.slice(-5)]; // => [0, 0.5, 0, 0, 0.5]
 * ```
 */
export function dilated(windowSize: number, dilation: number): Mask {
  const fix = "dilated(4, 2) sees the tokens 0, 2, 4 and 6 places back.";
  checks("dilated").whole({ windowSize, dilation }, { min: 1, unit: "tokens", fix });
  const reach = (windowSize - 1) * dilation;
  return defineMask({
    name: `dilated(${windowSize}, ${dilation})`,
    sees(query, key) {
      const back = query - key;
      return back >= 0 && back <= reach && back % dilation === 0;
    },
    tile(query, key) {
      // Every distance between these two occurs in the tile.
      const [nearest, farthest] = [query.first - key.last, query.last - key.first];
      const first = dilation * Math.ceil(Math.max(nearest, 0) / dilation);
      if (first > Math.min(farthest, reach)) return "none";
      const everyKey = dilation === 1 || nearest === farthest;
      return everyKey && nearest === first && farthest <= reach ? "all" : "some";
    },
  });
}
