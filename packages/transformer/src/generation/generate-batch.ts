import type { KvCache } from "@qkv/kv-cache";
import type { EncodedSource } from "../models/encoded-source.js";
import type { GenerativeModel } from "../models/model.js";
import { checks, checkSignal, type Checks } from "@qkv/core";
import { checkModel } from "../models/check-model.js";
import { prepareGeneration, checkPrompts } from "./beginning.js";
import { checkEmptyCache, checkPadId, paddedPrompts, refuseBeams } from "./padded-prompts.js";
import { decodeStep, prefill } from "./prefill.js";
import {
  applyProcessors,
  checkProcessors,
  type LogitsProcessor,
  type ProcessedSequence,
} from "./processors/logits-processor.js";
import { eventLoopYielder } from "./yield-to-event-loop.js";
import {
  uniformSample,
  checkMaxTokens,
  remainingContext,
  samplingSeed,
  stopConditions,
  type GeneratedToken,
  type GenerateSummary,
} from "./generate.js";
import { checkSampling, chooseToken, topLogprobs, logProbability, type Sampling } from "./sampling.js";
import { textStream, type TextStream } from "./text-stream.js";

export type GenerateBatchOptions = {
  /** Number of samples of each prompt, which is prefilled once for all of them. Default 1. */
  samples?: number;
  /** Maximum number of new tokens per sequence. Default: until the context is full. */
  maxTokens?: number;
  /** Default: the most likely token (greedy). The n-th sample of a prompt uses `seed + n`. */
  sampling?: Sampling;
  /** As for `generate`. */
  processors?: readonly LogitsProcessor[];
  /**
   * Padding id. With it, processors see shorter prompts left-padded to the length of the longest, as in Hugging Face
   * transformers. Default: they see no padding, and the results of a batch equal those of each prompt alone.
   */
  padId?: number;
  /** An empty cache. Default: a new `cacheFor(model.config)`. */
  cache?: KvCache;
  /** As for `generate`. */
  decoderIds?: readonly number[];
  /** As for `generate`. */
  stop?: readonly (number | string)[];
  /** As for `generate`. */
  logprobs?: number;
  signal?: AbortSignal;
  /** Called at the end, with stop reasons, token counts and timings. */
  onFinish?: (summary: GenerateBatchSummary) => void;
};

/** Summary of a batch. */
export type GenerateBatchSummary = {
  /** The samples of each prompt. */
  sequences: (Pick<GenerateSummary, "reason" | "stoppedBy"> & { generatedTokens: number })[][];
  /** Seed of the first sample of each prompt. Absent at temperature 0. */
  seed?: number;
  /** Token counts of all sequences. A prompt counts once for all its samples. */
  usage: Pick<GenerateSummary["usage"], "promptTokens" | "generatedTokens">;
  /** Tokens per second are those of all sequences. */
  timings: GenerateSummary["timings"];
};

/** One new token of one of the continuations. */
export type BatchGeneratedToken = GeneratedToken & {
  /** Index of the prompt. */
  prompt: number;
  /** Index of the sample of that prompt. */
  sample: number;
};

const check: Checks = /* @__PURE__ */ checks("generateBatch");

const names: readonly (keyof GenerateBatchOptions)[] = [
  "samples",
  "maxTokens",
  "sampling",
  "processors",
  "padId",
  "cache",
  "decoderIds",
  "stop",
  "logprobs",
  "signal",
  "onFinish",
];

/** A sequence that is being generated. */
type Sequence = {
  prompt: number;
  sample: number;
  ids: readonly number[];
  /** The prompt for processors, with padding if there is any. */
  processorPrompt: readonly number[];
  generated: number[];
  stream: TextStream;
  queue: BatchGeneratedToken[];
  tokenLimit: number;
  reason: GenerateSummary["reason"];
  stoppedBy?: number | string;
  sampling: Required<Sampling>;
};

/** Settings shared by all sequences of a batch. */
type Shared = { stopIds: ReadonlySet<number>; logprobs: number; processors: readonly LogitsProcessor[] };

/**
 * Continues several prompts of any lengths in one batch, with any number of samples each. Tokens are returned
 * round by round. Each continuation equals that of `generate` with the same prompt and seed. A sequence that has ended leaves
 * the batch.
 *
 * @param prompts - Texts or lists of ids; for an encoder–decoder also encoded sources (`model.encode`).
 * @throws {ArgumentError} As `generate`.
 *
 * @example
 * ```ts
 * import { decoder, generateBatch } from "@qkv/transformer";
 *
 * const { config, init, apply } = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * const model = { config, params: init(1), tokenizer: undefined, apply };
 *
 * const generated: number[][] = [[], [], [], []];
 * const sampling = { temperature: 1, seed: 7 };
 * for await (const { id, prompt, sample } of generateBatch(model, [[3, 1, 4], [5]], { samples: 2, maxTokens: 3, sampling })) {
 *   generated[2 * prompt + sample]?.push(id);
 * }
 * generated.map((ids) => ids.length); // => [3, 3, 3, 3]
 * ```
 */
export async function* generateBatch(
  model: GenerativeModel,
  prompts: readonly (string | readonly number[])[] | EncodedSource,
  given?: GenerateBatchOptions,
): AsyncGenerator<BatchGeneratedToken, void, void> {
  const startTime = performance.now();
  checkModel(check, model, ["decoder", "encoder-decoder", "speech"], { causal: true });
  refuseBeams(check, given);
  const options = check.options(given, names);
  checkPrompts(check, prompts);
  const { samples = 1, signal, logprobs = 0, onFinish } = options;
  checkSignal("generateBatch", signal);
  check.whole({ samples }, { min: 1 });
  check.whole({ logprobs }, { min: 0, unit: "tokens" });
  if (options.cache !== undefined) checkEmptyCache(check, options.cache);
  const sampling = checkSampling(options.sampling, "generateBatch", model.config.vocabSize);
  if (samples > 1 && sampling.temperature === 0)
    check.refuse({
      ...{ argument: "samples", received: samples },
      expected: "1 without a temperature, as the likeliest tokens are the same each time",
      fix: "write `sampling: { temperature: 1 }`, or `beamSearch` for the likeliest texts.",
    });
  checkProcessors(check, options.processors ?? []);
  const padId = checkPadId(check, options.padId, model.config.vocabSize);
  const maxTokens = checkMaxTokens(check, options.maxTokens);
  const { stopIds, stopTexts } = stopConditions(check, model, options.stop);
  const yieldToEventLoop = eventLoopYielder();
  const {
    prompts: promptIds,
    cache,
    processors,
    promptTokens,
  } = prepareGeneration(check, model, prompts, options);
  const remaining = promptIds.map((ids) => remainingContext(check, model, ids.length, 0));
  const processorPrompts = paddedPrompts(promptIds, padId);
  signal?.throwIfAborted();

  const firstLogits = promptIds.length > 0 ? await prefill(model, promptIds, cache) : [];
  const prefillEnd = performance.now();
  if (samples > 1 && promptIds.length > 0) cache.repeat(samples);
  const sequences = promptIds.flatMap((ids, prompt) =>
    Array.from({ length: samples }, (_, sample): Sequence => ({
      prompt,
      sample,
      ids,
      processorPrompt: processorPrompts[prompt]!,
      generated: [],
      stream: textStream(model.tokenizer, ids, stopTexts),
      queue: [],
      tokenLimit: Math.min(maxTokens, remaining[prompt]! + 1),
      reason: maxTokens <= remaining[prompt]! + 1 ? "length" : "context",
      sampling: { ...sampling, seed: sampling.seed + sample },
    })),
  );
  let rows = sequences;
  let logits = rows.map(({ prompt }) => firstLogits[prompt]!);
  while (rows.length > 0) {
    const running: number[] = [];
    for (const [n, row] of rows.entries()) {
      const result = step(row, logits[n]!, { stopIds, logprobs, processors });
      if (!result.isHeldBack) yield* row.queue.splice(0);
      if (!result.isDone) running.push(n);
    }
    if (running.length < rows.length) {
      if (running.length > 0) cache.reorder(running);
      rows = running.map((n) => rows[n]!);
    }
    if (rows.length === 0) break;
    await yieldToEventLoop();
    signal?.throwIfAborted();
    const tokens = rows.map(({ generated }) => generated.at(-1)!);
    logits = await decodeStep(model, tokens, cache);
  }
  onFinish?.({
    ...summarize(sequences, promptTokens, samples, { startTime, prefillEnd }),
    ...samplingSeed(sampling),
  });
}

/** Stop reasons, token counts and timings of a finished batch. */
function summarize(
  rows: readonly Sequence[],
  promptTokens: number,
  samples: number,
  { startTime, prefillEnd }: { startTime: number; prefillEnd: number },
): GenerateBatchSummary {
  const generatedTokens = rows.reduce((sum, { generated }) => sum + generated.length, 0);
  const generationMs = performance.now() - prefillEnd;
  // The first token of each sequence belongs to the prefill.
  const decoded = rows.reduce((sum, { generated }) => sum + Math.max(0, generated.length - 1), 0);
  return {
    sequences: Array.from({ length: rows.length / samples }, (_, prompt) =>
      rows.slice(prompt * samples, (prompt + 1) * samples).map(({ reason, stoppedBy, generated }) => ({
        reason,
        ...(stoppedBy !== undefined && { stoppedBy }),
        generatedTokens: generated.length,
      })),
    ),
    usage: { promptTokens, generatedTokens },
    timings: {
      promptMs: prefillEnd - startTime,
      generationMs,
      tokensPerSecond: generationMs > 0 ? (1000 * decoded) / generationMs : 0,
    },
  };
}

/** Chooses the next token of a row. `isHeldBack`: the token is not yet returned, because its text may be part of a stop text. */
function step(
  row: Sequence,
  logits: ArrayLike<number>,
  { stopIds, logprobs, processors }: Shared,
): { isDone: boolean; isHeldBack: boolean } {
  const { prompt, sample, ids, generated, stream, queue, tokenLimit, sampling } = row;
  const finish = (stoppedBy?: number | string) => {
    if (stoppedBy !== undefined) Object.assign(row, { reason: "stop", stoppedBy });
    const heldBackText = stream.end();
    if (queue.length > 0) queue[queue.length - 1]!.text += heldBackText;
    return { isDone: true, isHeldBack: false };
  };
  if (generated.length >= tokenLimit) return finish();
  const id = chooseToken(
    processors.length > 0 ? applyProcessors(processors, logits, processedSequence(row, stopIds)) : logits,
    sampling,
    uniformSample(sampling, generated.length),
    { prompt: ids, generated },
    check,
  );
  if (stopIds.has(id)) return finish(id);
  generated.push(id);
  const { text, settled, stopped, stopText } = stream.push(id);
  const top = logprobs > 0 && { top: topLogprobs(logits, logprobs) };
  queue.push({ prompt, sample, text, id, logprob: logProbability(logits, id), ...top });
  return stopped || generated.length === tokenLimit
    ? finish(stopText)
    : { isDone: false, isHeldBack: !settled };
}

/** A row for logits processors. */
function processedSequence(
  { prompt, processorPrompt, generated, tokenLimit }: Sequence,
  stopIds: ReadonlySet<number>,
): ProcessedSequence {
  return {
    prompt,
    ids: [...processorPrompt, ...generated],
    promptLength: processorPrompt.length,
    stopIds: [...stopIds],
    maxLength: processorPrompt.length + tokenLimit,
  };
}
