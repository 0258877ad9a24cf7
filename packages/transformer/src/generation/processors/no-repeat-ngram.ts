import { checks, type Checks } from "@qkv/core";
import { checkEncoderIds } from "./encoder-ids.js";
import { checkVocabulary, type LogitsProcessor } from "./logits-processor.js";

/**
 * Removes tokens that would repeat an n-gram of the prompt, its padding or the generated text.
 *
 * @param size - Length of the n-grams. Unit: tokens. 1 forbids every token that occurred.
 * @throws {ArgumentError} If it is not an integer of at least 1.
 * @see "A Deep Reinforced Model for Abstractive Summarization" (2017), arXiv:1705.04304, section 2.5
 *
 * @example
 * ```ts
 * import { noRepeatNgram, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([0, 0, 0], [noRepeatNgram(2)], { ids: [1, 2, 1] })]; // => [0, 0, -Infinity]
 * ```
 */
export function noRepeatNgram(size: number): LogitsProcessor {
  checkSize(checks("noRepeatNgram"), size);
  return {
    name: `noRepeatNgram(${size})`,
    process: (scores, { ids }) => removeRepeats(scores, ids, ids, size),
  };
}

/**
 * Removes tokens that would repeat an n-gram of the encoder's input.
 *
 * @param size - Length of the n-grams. Unit: tokens.
 * @param encoderIds - The encoder's token ids, one list for each prompt.
 * @throws {ArgumentError} If the size is not an integer of at least 1, or there are no ids for a prompt.
 *
 * @example
 * ```ts
 * import { encoderNoRepeatNgram, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([0, 0, 0], [encoderNoRepeatNgram(2, [[1, 2]])], { ids: [0, 1] })]; // => [0, 0, -Infinity]
 * ```
 */
export function encoderNoRepeatNgram(
  size: number,
  encoderIds: readonly (readonly number[])[],
): LogitsProcessor {
  const check = checks("encoderNoRepeatNgram");
  checkSize(check, size);
  const encoderIdsFor = checkEncoderIds(check, encoderIds);
  return {
    name: `encoderNoRepeatNgram(${size})`,
    process(scores, { ids, prompt }) {
      const sourceIds = encoderIdsFor(prompt);
      checkVocabulary("encoderNoRepeatNgram", sourceIds, scores.length);
      removeRepeats(scores, sourceIds, ids, size);
    },
  };
}

/** Removes each token that follows, in `text`, the last `size - 1` tokens of `ids`. */
function removeRepeats(
  scores: Float64Array,
  text: readonly number[],
  ids: readonly number[],
  size: number,
): void {
  const start = ids.length - (size - 1); // of the prefix that the next token would complete
  if (start < 0) return;
  for (let index = 0; index + size <= text.length; index++) {
    let matches = 0;
    while (matches < size - 1 && text[index + matches] === ids[start + matches]) matches += 1;
    if (matches === size - 1) scores[text[index + matches]!] = -Infinity;
  }
}

function checkSize(check: Checks, size: number): void {
  check.whole({ size }, { min: 1, unit: "tokens", fix: "use 3 to forbid repeated trigrams." });
}
