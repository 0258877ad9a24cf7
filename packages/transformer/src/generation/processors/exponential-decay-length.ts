import { checks } from "@qkv/core";
import type { LogitsProcessor } from "./logits-processor.js";

/**
 * Makes stop ids more likely with every token after a length: their score s becomes `s + |s| · (factor^n - 1)`, where n
 * counts the tokens after `start`.
 *
 * @param start - Number of generated tokens from which the penalty grows.
 * @param factor - Above 0. Values above 1 end texts earlier.
 * @throws {ArgumentError} If a number is out of range.
 *
 * @example
 * ```ts
 * import { exponentialDecayLength, processLogits } from "@qkv/transformer/processors";
 *
 * const sequence = { ids: [0, 0, 0], promptLength: 1, stopIds: [1] };
 * [...processLogits([1, -2], [exponentialDecayLength(1, 1.5)], sequence)]; // => [1, -1]
 * ```
 */
export function exponentialDecayLength(start: number, factor: number): LogitsProcessor {
  const check = checks("exponentialDecayLength");
  check.whole({ start }, { min: 0, unit: "tokens" });
  check.finite({ factor }, { above: 0, fix: "use 1.01 to end texts a little earlier." });
  return {
    name: `exponentialDecayLength(${start}, ${factor})`,
    process(scores, { ids, promptLength, stopIds }) {
      const past = ids.length - promptLength - start;
      if (past <= 0) return;
      for (const id of stopIds) {
        // A removed token (−∞) is not changed: −∞ + ∞ would be NaN.
        if (scores[id] !== -Infinity) scores[id]! += Math.abs(scores[id]!) * (factor ** past - 1);
      }
    },
  };
}
