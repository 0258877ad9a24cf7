import { checks, type Checks } from "@qkv/core";
import {
  checkTokenIds,
  checkVocabulary,
  type LogitsProcessor,
  type ProcessedSequence,
} from "./logits-processor.js";

/** A sequence of token ids, and the number added to the score of the last id if the others precede it. */
export type SequenceBias = readonly [ids: readonly number[], bias: number];

/**
 * Adds a bias to a token that would complete a sequence. The bias of a single token always applies. A sequence longer
 * than the text so far is ignored; if a sequence occurs several times, its last bias counts.
 *
 * @param biases - Sequences of token ids with their biases.
 * @throws {ArgumentError} If a sequence is empty, or a bias is NaN or Infinity.
 *
 * @example
 * ```ts
 * import { processLogits, sequenceBias } from "@qkv/transformer/processors";
 *
 * const biases = sequenceBias([[[0], -1], [[1, 2], 5]]);
 * [...processLogits([0, 0, 0], [biases], { ids: [2, 1] })]; // => [-1, 0, 5]
 * ```
 */
export function sequenceBias(biases: readonly SequenceBias[]): LogitsProcessor {
  const check = checks("sequenceBias");
  const fix = "write [[[10, 45], -2], [[64], 7.5]].";
  check.list(
    { biases },
    "pairs of token ids and a number",
    (pair) => Array.isArray(pair) && pair.length === 2,
    fix,
  );
  biases.forEach(([ids, bias], i) => {
    checkTokenIds(check, { [`biases[${i}]`]: ids });
    const isBias = (value: unknown) =>
      typeof value === "number" && !Number.isNaN(value) && value !== Infinity;
    check.each({ [`biases[${i}]`]: bias }, isBias, "a finite number or -Infinity", fix);
  });
  const biasBySequence = new Map(biases.map((pair) => [pair[0].join(), pair]));
  return {
    name: "sequenceBias",
    process: (scores, sequence) => addBiases("sequenceBias", scores, sequence, [...biasBySequence.values()]),
  };
}

/**
 * Removes tokens that would complete a forbidden word. A word that is only a stop id is ignored, so that texts can end.
 *
 * @param words - Token ids of each word.
 * @throws {ArgumentError} If a word is empty.
 *
 * @example
 * ```ts
 * import { badWords, processLogits } from "@qkv/transformer/processors";
 *
 * [...processLogits([0, 0, 0], [badWords([[0], [1, 2]])], { ids: [2, 1] })]; // => [-Infinity, 0, -Infinity]
 * ```
 */
export function badWords(words: readonly (readonly number[])[]): LogitsProcessor {
  const check: Checks = checks("badWords");
  const fix = "give each word as the tokenizer encodes it.";
  check.each(
    { words },
    (value) => Array.isArray(value) && value.length > 0,
    "a list of words as token ids",
    fix,
  );
  words.forEach((ids, i) => checkTokenIds(check, { [`words[${i}]`]: ids }));
  return {
    name: "badWords",
    process(scores, sequence) {
      const isStop = (ids: readonly number[]) => ids.length === 1 && sequence.stopIds.includes(ids[0]!);
      const biases = words.filter((ids) => !isStop(ids)).map((ids): SequenceBias => [ids, -Infinity]);
      addBiases("badWords", scores, sequence, biases);
    },
  };
}

function addBiases(
  fn: string,
  scores: Float64Array,
  { ids }: ProcessedSequence,
  biases: readonly SequenceBias[],
): void {
  for (const [tokens, bias] of biases) {
    checkVocabulary(fn, tokens, scores.length);
    if (tokens.length > 1 && tokens.length > ids.length) continue;
    const start = ids.length - (tokens.length - 1);
    const follows = tokens.every((id, i) => i === tokens.length - 1 || ids[start + i] === id);
    if (follows) scores[tokens.at(-1)!]! += bias;
  }
}
