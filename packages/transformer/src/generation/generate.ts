import { checks, checkSignal, type Checks } from "@qkv/core";
import type { Cache } from "@qkv/attention-contract";
import { uniform, type Tensor, type TypedArray } from "@qkv/tensor";
import type { EncodedSource } from "../models/encoded-source.js";
import type { GenerativeModel } from "../models/model.js";
import { isId } from "../models/check-ids.js";
import { checkModel } from "../models/check-model.js";
import { holdsStates } from "../models/is-recurrent.js";
import { prepareGeneration, isSource, lastTokensLogits } from "./beginning.js";
import { refuseBeams } from "./padded-prompts.js";
import { eventLoopYielder } from "./yield-to-event-loop.js";
import { applyProcessors, checkProcessors, type LogitsProcessor } from "./processors/logits-processor.js";
import { promptLookup, type PromptLookupOptions } from "./prompt-lookup.js";
import { deviceToken, leavesLogits } from "./device-token.js";
import { checkSampling, chooseToken, topLogprobs, logProbability, type Sampling } from "./sampling.js";
import { textStream } from "./text-stream.js";

export type GenerateOptions = {
  /** Maximum number of new tokens. Default: until the context is full; unlimited with a cache of unrotated keys. */
  maxTokens?: number;
  /** Default: the most likely token (greedy). With a temperature, tokens are sampled; without a `seed`, each call samples others. */
  sampling?: Sampling;
  /**
   * Logits processors of `@qkv/transformer/processors`, applied in this order, before `sampling`. They see the tokens of
   * the prompt and the generated ones. Default: none.
   */
  processors?: readonly LogitsProcessor[];
  /**
   * Keys, values and states of earlier tokens; the prompt is appended. Default: a new `cacheFor(model.config)`.
   *
   * The last returned token may not be in it yet. To continue, keep all ids and pass the missing ones:
   * `ids.slice(cache.length)`.
   */
  cache?: Cache & { crop?(length: number): void };
  /** Decoder ids of an encoder–decoder to start with; they are not returned. Default: the model's `startIds`. */
  decoderIds?: readonly number[];
  /**
   * Stop conditions besides the model's stop ids: ids, which are not returned, and texts, which are not part of the
   * returned text, wherever token boundaries are.
   */
  stop?: readonly (number | string)[];
  /** Number of most likely tokens reported with each token. Default 0. */
  logprobs?: number;
  /** Speculative decoding by prompt lookup: several draft tokens are verified at once. The generated tokens do not change. Default: off. */
  speculate?: PromptLookupOptions;
  signal?: AbortSignal;
  /** Called at the end, with stop reason, token counts and timings. */
  onFinish?: (summary: GenerateSummary) => void;
};

/** One new token. */
export type GeneratedToken = {
  /** The text that this token completes; "" while a character is incomplete, or the text may be the start of a stop text. */
  text: string;
  id: number;
  /** Log-probability of the token, before processors and sampling. Unit: nats. */
  logprob: number;
  /** With `logprobs`: the most likely tokens, in descending order. */
  top?: { id: number; logprob: number }[];
};

/** Summary of a generation: stop reason, token counts and timings. */
export type GenerateSummary = {
  /** Stop reason: a stop id or text, `maxTokens`, or a full context. */
  reason: "stop" | "length" | "context";
  /** The stop id or text that ended it; absent for other reasons. */
  stoppedBy?: number | string;
  /** Seed of the sampling. Passed as `sampling.seed`, it gives the same tokens again. Absent at temperature 0. */
  seed?: number;
  usage: {
    promptTokens: number;
    generatedTokens: number;
    /** Number of draft tokens, and of accepted ones. */
    draftTokens: number;
    acceptedTokens: number;
  };
  timings: {
    /** Prefill: from the call to the first token. */
    promptMs: number;
    /** Decode: from the first token to the end. */
    generationMs: number;
    /** Generated tokens, except the first, which belongs to the prefill, per second of `generationMs`. */
    tokensPerSecond: number;
  };
};

/**
 * Continues a prompt, token by token. For an encoder–decoder, the prompt is the source. The concatenated texts are the
 * generated text.
 *
 * @param prompt - Text (encoded with the model's tokenizer, beginning-of-sequence token in front), or token ids; of an
 *   encoder–decoder also a source that its `encode` has read.
 * @throws {ArgumentError} If the prompt does not fit the context, an option is out of range, or text is given to a
 *   model without a tokenizer. The signal's reason, when it aborts; the cache then has only complete tokens.
 *
 * @example
 * ```ts
 * import { decoder, generate } from "@qkv/transformer";
 *
 * const { config, init, apply } = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, ropeBase: 10000, ropeLayout: "half", stopIds: [],
 * });
 * const model = { config, params: init(1), tokenizer: undefined, apply };
 *
 * const ids = [3, 1, 4];
 * for await (const { id } of generate(model, ids, { maxTokens: 5, sampling: { temperature: 1, seed: 7 } })) {
 *   ids.push(id);
 * }
 * ids.length; // => 8
 * ```
 */
export async function* generate(
  model: GenerativeModel,
  prompt: string | readonly number[] | EncodedSource,
  given?: GenerateOptions,
): AsyncGenerator<GeneratedToken, void, void> {
  const startTime = performance.now();
  checkModel(check, model, ["decoder", "encoder-decoder", "speech"], { causal: true });
  refuseBeams(check, given);
  const options = check.options(given, names);
  const { config, tokenizer } = model;
  const { signal, speculate } = options;
  checkSignal("generate", signal);
  const sampling = checkSampling(options.sampling, "generate", config.vocabSize);
  checkProcessors(check, options.processors ?? []);
  const maxTokens = checkMaxTokens(check, options.maxTokens);
  const prompts = isSource(prompt) ? prompt : [prompt];
  const { processors, promptTokens, ...prepared } = prepareGeneration(check, model, prompts, options);
  const cache: NonNullable<GenerateOptions["cache"]> = prepared.cache;
  const ids = singlePrompt(prepared.prompts);
  const start = cache.length;
  // A cache of unrotated keys assigns positions itself, so the sequence is not limited; the cache has to evict tokens in time.
  const remaining = cache.unrotatedKeys ? Infinity : remainingContext(check, model, ids.length, start);
  const { stopIds, stopTexts } = stopConditions(check, model, options.stop);
  const stream = textStream(tokenizer, ids, stopTexts);
  const numLogprobs = options.logprobs ?? 0;
  check.whole({ logprobs: numLogprobs }, { min: 0, unit: "tokens" });
  checkSpeculation(speculate, cache, config);
  const canSampleOnDevice = numLogprobs === 0 && processors.length === 0 && leavesLogits(sampling);

  const yieldToEventLoop = eventLoopYielder();
  const generated: number[] = [];
  let queue: GeneratedToken[] = [];
  let yielded = 0;
  let pending: readonly number[] = ids; // tokens that are not in the cache yet
  // The last token that fits the context is not processed itself.
  const tokenLimit = Math.min(maxTokens, remaining + 1);
  const sequence = {
    promptLength: ids.length,
    prompt: 0,
    stopIds: [...stopIds],
    maxLength: ids.length + tokenLimit,
  };
  let reason: GenerateSummary["reason"] = tokenLimit === maxTokens ? "length" : "context";
  let stoppedBy: number | string | undefined;
  let [draftTokens, acceptedTokens] = [0, 0];
  let firstTokenTime: number | undefined;
  try {
    while (generated.length < tokenLimit) {
      await yieldToEventLoop();
      signal?.throwIfAborted();
      // Limit draft tokens to the context and `maxTokens`.
      const draft =
        speculate && firstTokenTime !== undefined
          ? promptLookup([...ids, ...generated], speculate).slice(0, tokenLimit - generated.length - 1)
          : [];
      draftTokens += draft.length;
      const logits = lastTokensLogits(model, [...pending, ...draft], { cache, last: draft.length + 1 });
      const onDevice =
        canSampleOnDevice && draft.length === 0
          ? await deviceToken(logits, sampling, uniformSample(sampling, generated.length))
          : undefined;
      const rows = onDevice ? [undefined] : await lastLogits(logits, draft.length + 1);
      firstTokenTime ??= performance.now();
      let ended = false;
      for (const [i, row] of rows.entries()) {
        const n = generated.length;
        const choose = (row: TypedArray): number => {
          const scores =
            processors.length > 0
              ? applyProcessors(processors, row, { ...sequence, ids: [...ids, ...generated] })
              : row;
          return chooseToken(scores, sampling, uniformSample(sampling, n), { prompt: ids, generated });
        };
        const id = row ? choose(row) : onDevice!.id;
        if (stopIds.has(id)) {
          [reason, stoppedBy, ended] = ["stop", id, true];
          break;
        }
        generated.push(id);
        const { text, settled, stopped, stopText } = stream.push(id);
        const logprob = row ? logProbability(row, id) : onDevice!.logprob;
        queue.push({
          text,
          id,
          logprob,
          ...(row && numLogprobs > 0 && { top: topLogprobs(row, numLogprobs) }),
        });
        if (stopped) {
          [reason, stoppedBy, ended] = ["stop", stopText, true];
          break;
        }
        if (settled && generated.length < tokenLimit) {
          for (const token of queue) {
            yielded += 1;
            yield token;
          }
          queue = [];
        }
        if (generated.length === tokenLimit || draft[i] !== id) break;
        acceptedTokens += 1;
      }
      if (ended) break;
      // Rejected draft tokens are removed; the last token is not in the cache yet.
      const acceptedLength = start + ids.length + generated.length - 1;
      if (cache.length > acceptedLength) cache.crop!(acceptedLength);
      pending = generated.slice(-1);
    }
    const heldBackText = stream.end();
    if (queue.length > 0 && heldBackText !== "") queue[queue.length - 1]!.text += heldBackText;
    for (const token of queue) {
      yielded += 1;
      yield token;
    }
  } finally {
    // A consumer that stops early has not received the queued tokens, so they are removed from the cache.
    const returnedLength = start + ids.length + yielded;
    if (cache.length > returnedLength) cache.crop?.(returnedLength);
  }
  const now = performance.now();
  const generationMs = now - (firstTokenTime ?? now);
  options.onFinish?.({
    reason,
    ...(stoppedBy !== undefined && { stoppedBy }),
    ...samplingSeed(sampling),
    usage: { promptTokens, generatedTokens: generated.length, draftTokens, acceptedTokens },
    timings: {
      promptMs: (firstTokenTime ?? now) - startTime,
      generationMs,
      tokensPerSecond: generationMs > 0 ? (1000 * Math.max(0, generated.length - 1)) / generationMs : 0,
    },
  });
}

/** Returns the only prompt; refuses several. */
function singlePrompt(prompts: readonly (readonly number[])[]): readonly number[] {
  if (prompts.length === 1) return prompts[0]!;
  return check.refuse({
    argument: "prompt",
    received: `a source of ${prompts.length} texts`,
    expected: "a source of one",
    fix: "call `generateBatch` for several.",
  });
}

/** Logits of the last positions, one array per position, from `[1, T, V]`. T may be larger than the number of positions. */
export async function lastLogits(logits: Tensor, count: number): Promise<TypedArray[]> {
  const V = logits.shape.at(-1)!;
  const elements = await logits.read();
  const end = elements.length;
  return Array.from({ length: count }, (_, i) =>
    elements.subarray(end - (count - i) * V, end - (count - i - 1) * V),
  );
}

/** The n-th uniform random number of a seed, computed without the earlier ones. */
export function uniformSample({ temperature, seed }: Required<Sampling>, n: number): number {
  return temperature === 0 ? 0 : uniform([1], { seed, first: n, dtype: "float64" }).data[0]!;
}

/** The seed for a summary; an empty object without sampling. */
export const samplingSeed = ({ temperature, seed }: Required<Sampling>): { seed?: number } =>
  temperature === 0 ? {} : { seed };

export function checkMaxTokens(check: Checks, maxTokens = Infinity): number {
  const range = {
    min: 0,
    unit: "tokens",
    fix: "leave it out to fill the context.",
  };
  if (maxTokens !== Infinity) check.whole({ maxTokens }, range);
  return maxTokens;
}

/** Number of tokens that fit the context after the cached tokens and a prompt. */
export function remainingContext(
  check: Checks,
  { config }: Pick<GenerativeModel, "config">,
  promptLength: number,
  cachedLength: number,
): number {
  const available = config.contextLength - cachedLength;
  if (promptLength <= available) return available - promptLength;
  const expected = `at most ${available}, what is left of the model's context of ${config.contextLength}`;
  const fix = "shorten the prompt, or crop the cache.";
  check.refuse({
    argument: "prompt",
    received: `${promptLength} tokens`,
    expected,
    fix,
  });
}

/** Stop ids and stop texts of a call. */
export function stopConditions(
  check: Checks,
  { config, tokenizer }: Pick<GenerativeModel, "config" | "tokenizer">,
  stop: readonly (number | string)[] = [],
) {
  const isStop = (value: unknown) => typeof value === "string" || isId(value, config.vocabSize);
  const wrong: unknown = Array.isArray(stop) ? stop.find((value) => !isStop(value)) : stop;
  if (wrong !== undefined) {
    check.refuse({
      argument: "stop",
      received: wrong,
      expected: `a list of texts and of token ids from 0 to ${config.vocabSize - 1}`,
      fix: 'write [2] or ["END"].',
    });
  }
  const stopIds = new Set([...config.stopIds, ...stop.filter((value) => typeof value === "number")]);
  const stopTexts = stop.filter((value) => typeof value === "string");
  if (stopTexts.includes(""))
    check.refuse({
      argument: "stop",
      received: "",
      expected: "texts of one character or more",
      fix: "leave the empty text out.",
    });
  if (stopTexts.length > 0 && !tokenizer) {
    const expected = "token ids, since the model has no tokenizer";
    check.refuse({
      argument: "stop",
      received: stopTexts[0],
      expected,
      fix: "load the model with `tokenizer`.",
    });
  }
  return { stopIds, stopTexts };
}

function checkSpeculation(
  speculate: PromptLookupOptions | undefined,
  cache: object,
  config: GenerativeModel["config"],
): void {
  if (speculate === undefined) return;
  const { ngramSize = 3, draftLength = 8 } = check.options(
    speculate,
    ["ngramSize", "draftLength"],
    "speculate",
  );
  check.whole(
    { "speculate.ngramSize": ngramSize, "speculate.draftLength": draftLength },
    { min: 1, fix: "leave it out for the default." },
  );
  if (holdsStates(config)) {
    check.refuse({
      argument: "speculate",
      received: "draft tokens",
      expected: "none for a model with states, which cannot forget the drafts that are rejected",
      fix: "leave `speculate` out.",
    });
  }
  if ("crop" in cache) return;
  check.refuse({
    argument: "cache",
    received: "a cache without crop",
    expected: "one that can remove rejected draft tokens",
    fix: "take a cache of @qkv/kv-cache.",
  });
}

const check: Checks = /* @__PURE__ */ checks("generate");

const names: readonly (keyof GenerateOptions)[] = [
  "maxTokens",
  "sampling",
  "processors",
  "cache",
  "decoderIds",
  "stop",
  "logprobs",
  "speculate",
  "signal",
  "onFinish",
];
