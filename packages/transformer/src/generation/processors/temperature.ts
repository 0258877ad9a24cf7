import { checks } from "@qkv/core";
import type { LogitsProcessor } from "./logits-processor.js";

/**
 * Divides the scores: below 1 the likely tokens become likelier, above 1 the distribution becomes flatter.
 *
 * @param value - Above 0.
 * @throws {ArgumentError} If it is not a number above 0.
 *
 * @example
 * ```ts
 * import { processLogits, temperature } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 2, 4], [temperature(0.5)], { ids: [0] })]; // => [2, 4, 8]
 * ```
 */
export function temperature(value: number): LogitsProcessor {
  const fix = "use about 0.8 for variety; for the likeliest token choose greedily, without a temperature.";
  checks("temperature").finite({ value }, { above: 0, fix });
  return {
    name: `temperature(${value})`,
    process(scores) {
      for (let id = 0; id < scores.length; id++) scores[id]! /= value;
    },
  };
}
