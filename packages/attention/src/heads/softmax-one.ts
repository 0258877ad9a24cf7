import { zeros } from "@qkv/tensor";
import type { Sinks } from "./learned-sinks.js";

/**
 * Softmax with 1 added to the denominator, `e^s / (1 + Σ e^s)`: a head whose scores are all low outputs almost nothing
 * instead of an average. It equals a key and a value of zeros that every query sees, or a sink logit of 0. Nothing is
 * learned.
 *
 * @see "Attention Is Off By One" (2023), https://www.evanmiller.org/attention-is-off-by-one.html
 *
 * @example
 * ```ts
 * import { ones, zeros } from "@qkv/tensor";
 * import { attention, softmaxOne } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 1, 2]); // [B, H, T, D]: one key, whose score is 0
 * const sinks = softmaxOne().logits(undefined, x);
 * attention(x, x, ones([1, 1, 1, 2]), { sinks }).toNested(); // => [[[[0.5, 0.5]]]]
 * ```
 */
export function softmaxOne(): Sinks {
  return {
    name: "softmaxOne()",
    init: () => undefined,
    logits: (_, { shape, dtype, device }) => zeros([shape[1]!], { dtype, device }),
  };
}
