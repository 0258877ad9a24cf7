import { checkThreshold } from "./check-threshold.js";
import type { Patcher } from "./patcher.js";

/**
 * Starts a patch wherever entropy rises from one byte to the next by more than a threshold. Inside a patch entropy
 * decreases approximately: each byte makes the next one easier to predict. Unlike a global threshold, it also works where a
 * whole passage is hard or easy to predict.
 *
 * @param rise - Unit: nats.
 * @throws {ArgumentError} If it is not a number of 0 or more.
 * @see "Byte Latent Transformer" (2024), arXiv:2412.09871, section 2.3, the approximate monotonic constraint
 *
 * @example
 * ```ts
 * import { monotonicConstraint, patchStarts } from "@qkv/tokenizer/patching";
 *
 * const entropies = [3, 2, 1, 3.5, 3, 3.2];
 * patchStarts("abcdef", monotonicConstraint(0.5), (before) => entropies[before.length]); // => [0, 3]
 * ```
 */
export function monotonicConstraint(rise: number): Patcher {
  checkThreshold("monotonicConstraint", rise);
  return {
    name: `monotonicConstraint(${rise})`,
    readsEntropy: true,
    start() {
      let before = Infinity;
      return (_, entropy) => {
        const rises = entropy - before > rise;
        before = entropy;
        return rises;
      };
    },
  };
}
