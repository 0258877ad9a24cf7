import { checks } from "@qkv/core";
import { checkVocabulary, type LogitsProcessor } from "./logits-processor.js";

/**
 * Forces the first generated token after a prompt of one token, such as the target language of an encoder–decoder.
 *
 * @param id - Token id.
 * @throws {ArgumentError} If it is not a token id.
 *
 * @example
 * ```ts
 * import { forcedBos, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 2, 3], [forcedBos(1)], { ids: [0] })]; // => [-Infinity, 0, -Infinity]
 * ```
 */
export function forcedBos(id: number): LogitsProcessor {
  checks("forcedBos").whole({ id }, { min: 0 });
  return {
    name: `forcedBos(${id})`,
    process(scores, { ids }) {
      if (ids.length === 1) force("forcedBos", scores, [id]);
    },
  };
}

/**
 * Forces the last token that fits `maxTokens`, as the end of the sequence.
 *
 * @param id - Token id, or several, which then are equally likely.
 * @throws {ArgumentError} If it is not a token id.
 *
 * @example
 * ```ts
 * import { forcedEos, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 2, 3], [forcedEos(2)], { ids: [0, 1], maxLength: 3 })]; // => [-Infinity, -Infinity, 0]
 * ```
 */
export function forcedEos(id: number | readonly number[]): LogitsProcessor {
  const ids = typeof id === "number" ? [id] : id;
  const isId = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  checks("forcedEos").each(
    { id: ids },
    (value) => Array.isArray(value) && value.length > 0 && value.every(isId),
    "a token id, or a list of some",
    "give the id that ends a text: one of `model.config.stopIds`.",
  );
  return {
    name: `forcedEos(${String(id)})`,
    process(scores, { ids: soFar, maxLength }) {
      if (soFar.length === maxLength - 1) force("forcedEos", scores, ids);
    },
  };
}

/** Sets the scores of the given tokens to 0, and removes all others. */
function force(fn: string, scores: Float64Array, ids: readonly number[]): void {
  checkVocabulary(fn, ids, scores.length);
  scores.fill(-Infinity);
  for (const id of ids) scores[id] = 0;
}
