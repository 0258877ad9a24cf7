import { checks, type Checks } from "@qkv/core";
import { checkVocabulary, type LogitsProcessor } from "./logits-processor.js";
import { checkEncoderIds } from "./encoder-ids.js";

/**
 * Divides the scores of tokens that occur in the prompt, its padding or the generated text by `penalty`, or multiplies them
 * where they are below 0.
 *
 * @param penalty - Above 0. Above 1 against repetition, about 1.1 is usual; below 1 for it.
 * @param options - `ignoredTokens`: number of first tokens that are not penalized, such as a prompt's. Default 0.
 * @throws {ArgumentError} If the penalty is not a number above 0.
 * @see "CTRL" (2019), arXiv:1909.05858, section 4.1
 *
 * @example
 * ```ts
 * import { processLogits, repetitionPenalty } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 2, -3], [repetitionPenalty(2)], { ids: [1, 2] })]; // => [1, 1, -6]
 * ```
 */
export function repetitionPenalty(penalty: number, options?: { ignoredTokens?: number }): LogitsProcessor {
  const check = checks("repetitionPenalty");
  const { ignoredTokens = 0 } = check.options(options, ["ignoredTokens"]);
  checkPenalty(check, penalty);
  check.whole({ ignoredTokens }, { min: 0, unit: "tokens" });
  return {
    name: `repetitionPenalty(${penalty})`,
    process: (scores, { ids }) => penalizeTokens(scores, ids.slice(ignoredTokens), penalty),
  };
}

/**
 * Makes tokens of the encoder's input more likely, against hallucination: their scores are multiplied by `penalty`, or
 * divided where they are below 0.
 *
 * @param penalty - Above 0. Above 1 favours tokens of the input.
 * @param encoderIds - The encoder's token ids, one list for each prompt.
 * @throws {ArgumentError} If the penalty is not a number above 0, or there are no ids for a prompt.
 *
 * @example
 * ```ts
 * import { encoderRepetitionPenalty, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([1, 2, -4], [encoderRepetitionPenalty(2, [[1, 2]])], { ids: [0] })]; // => [1, 4, -2]
 * ```
 */
export function encoderRepetitionPenalty(
  penalty: number,
  encoderIds: readonly (readonly number[])[],
): LogitsProcessor {
  const check = checks("encoderRepetitionPenalty");
  checkPenalty(check, penalty);
  const encoderIdsFor = checkEncoderIds(check, encoderIds);
  return {
    name: `encoderRepetitionPenalty(${penalty})`,
    process(scores, { prompt }) {
      const ids = encoderIdsFor(prompt);
      checkVocabulary("encoderRepetitionPenalty", ids, scores.length);
      penalizeTokens(scores, ids, 1 / penalty);
    },
  };
}

/** Divides the scores of tokens, or multiplies them where they are below 0; each token once. */
export function penalizeTokens(scores: Float64Array, ids: Iterable<number>, penalty: number): void {
  for (const id of new Set(ids)) scores[id] = scores[id]! < 0 ? scores[id]! * penalty : scores[id]! / penalty;
}

function checkPenalty(check: Checks, penalty: number): void {
  check.finite({ penalty }, { above: 0, fix: "use 1 for none, about 1.1 against repetition." });
}
