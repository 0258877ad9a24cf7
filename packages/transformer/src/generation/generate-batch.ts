import type { KvCache } from "@qkv/kv-cache";
import { tensor, type Tensor } from "@qkv/tensor";
import type { Model } from "../models/model.js";
import { checks, type Checks } from "@qkv/core";
import { checkModel } from "../models/check-model.js";
import { cacheFor } from "./cache-for.js";
import { eventLoopYielder } from "./yield-to-event-loop.js";
import {
  uniformSample,
  checkMaxTokens,
  promptIds,
  remainingContext,
  stopConditions,
  type GeneratedToken,
} from "./generate.js";
import { checkSampling, chooseToken, topLogprobs, logProbability, type Sampling } from "./sampling.js";
import { textStream, type TextStream } from "./text-stream.js";

export type GenerateBatchOptions = {
  /** Number of samples of each prompt, which is prefilled once for all of them. Default 1. */
  samples?: number;
  /** At most this many new tokens for each. Default: until the model's context is full. */
  maxTokens?: number;
  /** Default: the likeliest token. The n-th sample of a prompt has the seed `seed + n`. */
  sampling?: Sampling;
  /** An empty cache. Default: a new growing one. */
  cache?: KvCache;
  /** As for `generate`. */
  stop?: readonly (number | string)[];
  /** As for `generate`. */
  logprobs?: number;
  signal?: AbortSignal;
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
  "cache",
  "stop",
  "logprobs",
  "signal",
];

/** A sequence that is being generated. */
type Sequence = {
  prompt: number;
  sample: number;
  ids: readonly number[];
  generated: number[];
  stream: TextStream;
  queue: BatchGeneratedToken[];
  most: number;
  sampling: Required<Sampling>;
};

/**
 * Continues several prompts at once, of any lengths, each as often as is wanted. Tokens come one round after the
 * other; each continuation is the one that `generate` gives for its prompt and its seed. One that ends leaves the batch,
 * and the rest go on without it.
 *
 * @param prompts - Texts or lists of ids.
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
  model: Model,
  prompts: readonly (string | readonly number[])[],
  given?: GenerateBatchOptions,
): AsyncGenerator<BatchGeneratedToken, void, void> {
  checkModel(check, model, { causal: true });
  const options = check.options(given, names);
  check.each(
    { prompts },
    Array.isArray,
    "a list of texts or of lists of token ids",
    "write [prompt] for one.",
  );
  if (prompts.length === 0) return;
  const { samples = 1, signal, logprobs = 0 } = options;
  check.whole({ samples }, { min: 1 });
  check.whole({ logprobs }, { min: 0, unit: "tokens" });
  const cache = options.cache ?? cacheFor(model.config);
  const sampling = checkSampling(options.sampling, "generateBatch");
  const maxTokens = checkMaxTokens(check, options.maxTokens);
  const { stopIds, stopTexts } = stopConditions(check, model, options.stop);
  const yieldToEventLoop = eventLoopYielder();
  const read = prompts.map((prompt) => promptIds(check, model, prompt));
  const rooms = read.map((ids) => remainingContext(check, model, ids.length, 0));
  signal?.throwIfAborted();

  const first = await prefill(model, read, cache);
  if (samples > 1) cache.repeat(samples);
  let rows = read.flatMap((ids, prompt) =>
    Array.from({ length: samples }, (_, sample): Sequence => ({
      prompt,
      sample,
      ids,
      generated: [],
      stream: textStream(model.tokenizer, ids, stopTexts),
      queue: [],
      most: Math.min(maxTokens, rooms[prompt]! + 1),
      sampling: { ...sampling, seed: sampling.seed + sample },
    })),
  );
  let logits = rows.map(({ prompt }) => first[prompt]!);
  while (rows.length > 0) {
    const going: number[] = [];
    for (const [n, row] of rows.entries()) {
      const ended = step(row, logits[n]!, stopIds, logprobs);
      if (!ended.waits) yield* row.queue.splice(0);
      if (!ended.done) going.push(n);
    }
    if (going.length < rows.length) {
      if (going.length > 0) cache.reorder(going);
      rows = going.map((n) => rows[n]!);
    }
    if (rows.length === 0) return;
    await yieldToEventLoop();
    signal?.throwIfAborted();
    const ids = tensor(
      rows.map(({ generated }) => [generated.at(-1)!]),
      { dtype: "int32", device: model.params.embedding.weight.device },
    );
    logits = await lastTokenLogits(model.apply(model.params, ids, { cache, last: 1 }));
  }
}

/** Chooses the next token of a row. `waits`: what was chosen is not shown yet. */
function step(
  row: Sequence,
  logits: ArrayLike<number>,
  stopIds: ReadonlySet<number>,
  logprobs: number,
): { done: boolean; waits: boolean } {
  const { prompt, sample, ids, generated, stream, queue, most, sampling } = row;
  const finish = () => {
    const rest = stream.end();
    if (queue.length > 0) queue[queue.length - 1]!.text += rest;
    return { done: true, waits: false };
  };
  if (generated.length >= most) return finish();
  const id = chooseToken(
    logits,
    sampling,
    uniformSample(sampling, generated.length),
    { prompt: ids, generated },
    check,
  );
  if (stopIds.has(id)) return finish();
  generated.push(id);
  const { text, settled, stopped } = stream.push(id);
  const top = logprobs > 0 && { top: topLogprobs(logits, logprobs) };
  queue.push({ prompt, sample, text, id, logprob: logProbability(logits, id), ...top });
  return stopped || generated.length === most ? finish() : { done: false, waits: !settled };
}

/** The logits of each prompt's last token; the cache then holds each prompt, and none of its padding. */
async function prefill(
  { apply, params }: Model,
  prompts: readonly (readonly number[])[],
  cache: KvCache,
): Promise<ArrayLike<number>[]> {
  const lengths = prompts.map(({ length }) => length);
  const T = Math.max(...lengths);
  // Padding stands behind: no real token sees it.
  const ids = tensor(
    prompts.map((prompt) => Array.from({ length: T }, (_, t) => prompt[t] ?? 0)),
    { dtype: "int32", device: params.embedding.weight.device },
  );
  const shortest = Math.min(...lengths);
  const last = T - shortest + 1;
  const logits = apply(params, ids, { cache, last, ...(last > 1 && { padding: lengths }) }); // [B, last, V]
  const [B, rows, V] = logits.shape as [number, number, number];
  const numbers = await logits.read();
  if (shortest < T) cache.crop(lengths);
  return Array.from({ length: B }, (_, b) => {
    const at = (b * rows + rows - 1 - (T - lengths[b]!)) * V;
    return numbers.slice(at, at + V);
  });
}

/** The logits of each batch's last token, of [B, 1, V]. */
async function lastTokenLogits(logits: Tensor): Promise<ArrayLike<number>[]> {
  const [B, rows, V] = logits.shape as [number, number, number];
  const numbers = await logits.read();
  return Array.from({ length: B }, (_, b) => numbers.subarray(((b + 1) * rows - 1) * V, (b + 1) * rows * V));
}
