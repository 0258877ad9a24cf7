import { checks } from "@qkv/core";
import type { LogitsProcessor, ProcessedSequence } from "./logits-processor.js";

/**
 * Removes stop ids until prompt and generated text together reach a length.
 *
 * @param length - Unit: tokens, including padding of the prompt.
 * @throws {ArgumentError} If it is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { minLength, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 2], [minLength(3)], { ids: [0, 0], stopIds: [1] })]; // => [1, -Infinity]
 * ```
 */
export function minLength(length: number): LogitsProcessor {
  checks("minLength").whole({ length }, { min: 0, unit: "tokens" });
  return {
    name: `minLength(${length})`,
    process(scores, sequence) {
      if (sequence.ids.length < length) removeStops(scores, sequence);
    },
  };
}

/**
 * Removes stop ids until a number of tokens has been generated.
 *
 * @param count - Unit: tokens.
 * @throws {ArgumentError} If it is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { minNewTokens, processLogits } from "@qkv/transformer/processors";
 *
 * const sequence = { ids: [0, 0, 0], promptLength: 2, stopIds: [1] };
 * [...processLogits([1, 2], [minNewTokens(2)], sequence)]; // => [1, -Infinity]
 * [...processLogits([1, 2], [minNewTokens(1)], sequence)]; // => [1, 2]
 * ```
 */
export function minNewTokens(count: number): LogitsProcessor {
  checks("minNewTokens").whole({ count }, { min: 0, unit: "tokens" });
  return {
    name: `minNewTokens(${count})`,
    process(scores, sequence) {
      if (sequence.ids.length - sequence.promptLength < count) removeStops(scores, sequence);
    },
  };
}

function removeStops(scores: Float64Array, { stopIds }: ProcessedSequence): void {
  for (const id of stopIds) scores[id] = -Infinity;
}
