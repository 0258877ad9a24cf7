import { checks, isList, type Checks } from "@qkv/core";

/** The sequence for which logits processors change the scores of the next token. */
export type ProcessedSequence = {
  /** Tokens so far: padding if any, prompt, and generated tokens. */
  readonly ids: readonly number[];
  /** Length of the prompt, padding included. Unit: tokens. */
  readonly promptLength: number;
  /** Index of the prompt in its batch. */
  readonly prompt: number;
  /** Ids that end a sequence: the model's own and those of `stop`. */
  readonly stopIds: readonly number[];
  /** Length at which the sequence ends, prompt and padding included. Unit: tokens. Infinity: no limit. */
  readonly maxLength: number;
};

/**
 * A change of the scores of the next token. Processors compose in a list and are applied in its order. Scores are logits;
 * in beam search they are log-probabilities, as in Hugging Face transformers.
 */
export type LogitsProcessor = {
  /** The call that created it, for errors. */
  readonly name: string;
  /** Changes the scores of one sequence, `[V]`, in place. A token at `-Infinity` is not chosen. */
  process(scores: Float64Array, sequence: ProcessedSequence): void;
};

const onProcess: Checks = /* @__PURE__ */ checks("processLogits");

/** Refuses a value that is not a list of logits processors. */
export function checkProcessors(check: Checks, value: unknown): readonly LogitsProcessor[] {
  const isProcessor = (value: unknown) => typeof (value as LogitsProcessor | null)?.process === "function";
  check.list(
    { processors: value },
    "logits processors",
    isProcessor,
    "make them by the functions of @qkv/transformer/processors, such as [repetitionPenalty(1.2)].",
  );
  return value as readonly LogitsProcessor[];
}

/**
 * Applies logits processors to the scores of one sequence.
 *
 * @param logits - One number per token of the vocabulary; not changed.
 * @param processors - Applied in this order.
 * @param sequence - Tokens so far. `promptLength` defaults to all of them, `prompt` to 0, `stopIds` to none, `maxLength`
 *   to no limit.
 * @returns The changed scores, in float64.
 * @throws {ArgumentError} If a value is of the wrong kind, or a processor names a token outside of the vocabulary.
 *
 * @example
 * ```ts
 * import { noRepeatNgram, processLogits, repetitionPenalty } from "@qkv/transformer/processors";
 *
 * // After 1 2 1 the pair 1 2 is not allowed again, and both tokens are penalized.
 * const scores = processLogits([1, 2, 4, 3], [repetitionPenalty(2), noRepeatNgram(2)], { ids: [1, 2, 1] });
 * [...scores]; // => [1, 1, -Infinity, 3]
 * ```
 */
export function processLogits(
  logits: ArrayLike<number>,
  processors: readonly LogitsProcessor[],
  sequence: Pick<ProcessedSequence, "ids"> & Partial<ProcessedSequence>,
): Float64Array {
  onProcess.list({ logits }, "numbers, one for each token", (item) => typeof item === "number");
  checkProcessors(onProcess, processors);
  const names = ["ids", "promptLength", "prompt", "stopIds", "maxLength"] as const;
  const {
    ids,
    promptLength,
    prompt = 0,
    stopIds = [],
    maxLength = Infinity,
  } = onProcess.options(sequence, names, "sequence");
  const isId = (id: unknown) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < logits.length;
  onProcess.list({ ids, stopIds }, `token ids from 0 to ${logits.length - 1}`, isId);
  onProcess.whole({ promptLength: promptLength ?? ids.length, prompt }, { min: 0 });
  onProcess.each({ maxLength }, (value) => typeof value === "number" && value >= 0, "a number of tokens");
  return applyProcessors(processors, logits, {
    ids,
    promptLength: promptLength ?? ids.length,
    prompt,
    stopIds,
    maxLength,
  });
}

/** Applies all processors to a copy of the scores. */
export function applyProcessors(
  processors: readonly LogitsProcessor[],
  logits: ArrayLike<number>,
  sequence: ProcessedSequence,
): Float64Array {
  const scores = Float64Array.from(logits);
  for (const processor of processors) processor.process(scores, sequence);
  return scores;
}

/** Refuses an option that is not a list of one or more token ids. */
export function checkTokenIds(check: Checks, values: Readonly<Record<string, unknown>>): void {
  check.each(
    values,
    (value) =>
      isList(value) &&
      value.length > 0 &&
      Array.from(value).every((id) => Number.isSafeInteger(id) && (id as number) >= 0),
    "a list of token ids, one or more",
    "write [42], or leave the processor out.",
  );
}

/** Refuses token ids that the vocabulary does not have. */
export function checkVocabulary(fn: string, ids: Iterable<number>, vocabSize: number): void {
  for (const id of ids) {
    if (id < vocabSize) continue;
    checks(fn).refuse({
      argument: "ids",
      received: id,
      expected: `token ids from 0 to ${vocabSize - 1}, the model's vocabulary`,
      fix: "take the ids of the model's own tokenizer.",
    });
  }
}
