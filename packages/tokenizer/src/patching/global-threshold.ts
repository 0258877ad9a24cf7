import type { Patcher } from "./patcher.js";
import { checkThreshold } from "./check-threshold.js";

/**
 * Starts a patch before each byte whose entropy is above a threshold: where the model is uncertain.
 *
 * @param threshold - Unit: nats. Lower means more and shorter patches: 0 cuts at every byte that is not certain. BLT's
 *   own byte model was used with 1.335.
 * @throws {ArgumentError} If it is not a number of 0 or more.
 * @see "Byte Latent Transformer" (2024), arXiv:2412.09871, section 2.3, the global constraint
 *
 * @example
 * ```ts
 * import { globalThreshold, patchStarts } from "@qkv/tokenizer/patching";
 *
 * const entropy = (before: Uint8Array) => (before.at(-1) === 0x20 ? 4 : 1); // uncertain after a space
 * patchStarts("to be or not", globalThreshold(2), entropy); // => [0, 3, 6, 9]
 * ```
 */
export function globalThreshold(threshold: number): Patcher {
  checkThreshold("globalThreshold", threshold);
  return {
    name: `globalThreshold(${threshold})`,
    readsEntropy: true,
    start: () => (_, entropy) => entropy > threshold,
  };
}
