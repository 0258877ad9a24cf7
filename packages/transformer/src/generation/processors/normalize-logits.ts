import { logSoftmax } from "../log-softmax.js";
import type { LogitsProcessor } from "./logits-processor.js";

/**
 * Converts scores to log-probabilities (log-softmax), so that scores of beams stay comparable after processors that
 * change their sum.
 *
 * @example
 * ```ts
 * import { normalizeLogits, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 1], [normalizeLogits], { ids: [0] })].map(Math.exp); // => [0.5, 0.5]
 * ```
 */
export const normalizeLogits: LogitsProcessor = {
  name: "normalizeLogits",
  process: (scores) => scores.set(logSoftmax(scores)),
};
