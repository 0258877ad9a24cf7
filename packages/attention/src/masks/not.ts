import type { Mask } from "@qkv/attention-contract";
import { checkMask, defineMask } from "../mask.js";

/**
 * Inverts a mask: a query sees exactly the keys that `mask` does not let it see.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, causal, not } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]
 * [...attentionWeights(x, x, { mask: not(causal()) }).data]; // => [0, 1, 0, 0]
 * ```
 */
export function not(mask: Mask): Mask {
  const { name, perBatch, perHead } = checkMask("not", "mask", mask);
  return defineMask({
    name: `not(${name})`,
    perBatch,
    perHead,
    bind(extent) {
      const bound = mask.bind(extent);
      return {
        sees: (query, key, batch, head) => !bound.sees(query, key, batch, head),
        tile(query, key, batch, head) {
          const tileClass = bound.tile(query, key, batch, head);
          return tileClass === "none" ? "all" : tileClass === "all" ? "none" : "some";
        },
      };
    },
  });
}
