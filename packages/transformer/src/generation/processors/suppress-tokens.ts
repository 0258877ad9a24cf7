import { checks } from "@qkv/core";
import { checkTokenIds, checkVocabulary, type LogitsProcessor } from "./logits-processor.js";

/**
 * Removes tokens at every step.
 *
 * @param ids - Token ids.
 * @throws {ArgumentError} If there are none.
 *
 * @example
 * ```ts
 * import { processLogits, suppressTokens } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 2, 3], [suppressTokens([2])], { ids: [0] })]; // => [1, 2, -Infinity]
 * ```
 */
export function suppressTokens(ids: readonly number[]): LogitsProcessor {
  checkTokenIds(checks("suppressTokens"), { ids });
  return {
    name: "suppressTokens",
    process: (scores) => remove("suppressTokens", scores, ids),
  };
}

/**
 * Removes tokens at the first step of generation, or at one later step.
 *
 * @param ids - Token ids.
 * @param options - `generated`: number of generated tokens after which they are removed, such as 1 after a forced first
 *   token. Default 0.
 * @throws {ArgumentError} If there are no ids.
 *
 * @example
 * ```ts
 * import { processLogits, suppressTokensAtBegin } from "@qkv/transformer/processors";
 *
 * const first = suppressTokensAtBegin([2]);
 * [...processLogits([1, 2, 3], [first], { ids: [0] })]; // => [1, 2, -Infinity]
 * [...processLogits([1, 2, 3], [first], { ids: [0, 1], promptLength: 1 })]; // => [1, 2, 3]
 * ```
 */
export function suppressTokensAtBegin(
  ids: readonly number[],
  options?: { generated?: number },
): LogitsProcessor {
  const check = checks("suppressTokensAtBegin");
  const { generated = 0 } = check.options(options, ["generated"]);
  checkTokenIds(check, { ids });
  check.whole({ generated }, { min: 0, unit: "tokens" });
  return {
    name: "suppressTokensAtBegin",
    process(scores, { ids: soFar, promptLength }) {
      if (soFar.length - promptLength === generated) remove("suppressTokensAtBegin", scores, ids);
    },
  };
}

function remove(fn: string, scores: Float64Array, ids: readonly number[]): void {
  checkVocabulary(fn, ids, scores.length);
  for (const id of ids) scores[id] = -Infinity;
}
