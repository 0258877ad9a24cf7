import { checks, checkSignal, type Checks } from "@qkv/core";
import type { KvCache } from "@qkv/kv-cache";
import { checkModel } from "../models/check-model.js";
import type { EncodedSource } from "../models/encoded-source.js";
import type { GenerativeModel } from "../models/model.js";
import {
  beamSearcher,
  type Beam,
  type BeamSearcher,
  type BeamSequence,
  type SequenceToken,
} from "./beams.js";
import { prepareGeneration, checkPrompts } from "./beginning.js";
import { checkMaxTokens, remainingContext, stopConditions } from "./generate.js";
import { checkEmptyCache, checkPadId, paddedPrompts } from "./padded-prompts.js";
import { decodeStep, prefill } from "./prefill.js";
import { checkProcessors, type LogitsProcessor } from "./processors/logits-processor.js";
import { textStream } from "./text-stream.js";
import { eventLoopYielder } from "./yield-to-event-loop.js";

export type BeamSearchOptions = {
  /**
   * Number of beams per prompt. Default 4. One beam is greedy search with processors on
   * log-probabilities, while `generate` applies them to logits, as Hugging Face does with one beam.
   */
  numBeams?: number;
  /**
   * The score of a sequence is the sum of its log-probabilities over its length to this power. Above 0 favours long
   * sequences, below 0 favours short ones. Default 1.
   */
  lengthPenalty?: number;
  /**
   * End of the search for a prompt. `true`: when `numBeams` sequences have ended. `false`: when no running beam at its
   * present length is better than the worst of them. `"never"`: when none could become better at any length up to
   * `maxTokens`. Default false.
   */
  earlyStopping?: boolean | "never";
  /** Number of sequences returned for each prompt, the best first; at most `numBeams`. Default 1. */
  numReturnSequences?: number;
  /** Maximum number of new tokens, including the stop id. Default: until the context is full. */
  maxTokens?: number;
  /**
   * Logits processors of `@qkv/transformer/processors`, applied in this order to the log-probabilities of each beam.
   * Default: none.
   */
  processors?: readonly LogitsProcessor[];
  /**
   * Padding id. With it, processors see shorter prompts left-padded to the length of the longest, as in Hugging Face
   * transformers. Default: they see no padding, and the results of a batch equal those of each prompt alone.
   */
  padId?: number;
  /** An empty cache that supports `reorder`; it is emptied at the end. Default: a new `cacheFor(model.config)`. */
  cache?: KvCache;
  /** As for `generate`. */
  decoderIds?: readonly number[];
  /** As for `generate`. */
  stop?: readonly (number | string)[];
  /** As for `generate`. */
  logprobs?: number;
  signal?: AbortSignal;
  /** Called with each token of a prompt's best sequence as soon as all remaining candidates share it. */
  onToken?: (token: BeamToken) => void;
};

/** A token of the best sequence of a prompt, and the text that it completes. */
export type BeamToken = SequenceToken & {
  /** Index of the prompt. */
  prompt: number;
  text: string;
};

export type BeamSearchResult = {
  /** The sequences of each prompt, the best first. Fewer than `numReturnSequences` if no more exist. */
  sequences: BeamSequence[][];
  usage: {
    promptTokens: number;
    /** Number of tokens of all returned sequences, stop ids included. */
    generatedTokens: number;
  };
  timings: {
    /** Prefill: from the call to the first logits. */
    promptMs: number;
    /** From the first logits to the end. */
    generationMs: number;
  };
};

const check: Checks = /* @__PURE__ */ checks("beamSearch");

const names: readonly (keyof BeamSearchOptions)[] = [
  "numBeams",
  "lengthPenalty",
  "earlyStopping",
  "numReturnSequences",
  "maxTokens",
  "processors",
  "padId",
  "cache",
  "decoderIds",
  "stop",
  "logprobs",
  "signal",
  "onToken",
];

/**
 * Continues prompts of any lengths by beam search, with the semantics of Hugging Face's `generate` with `num_beams`. Each step
 * chooses among the continuations of all beams of a prompt; the cache's batches follow by `reorder`.
 *
 * @param prompts - Texts or lists of ids; for an encoder–decoder also encoded sources (`model.encode`).
 * @throws {ArgumentError} If an option is out of range, a prompt does not fit the context, or processors remove every token
 *   of every beam. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { beamSearch, decoder } from "@qkv/transformer";
 * import { noRepeatNgram } from "@qkv/transformer/processors";
 *
 * const { config, init, apply } = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [2],
 * });
 * const model = { config, params: init(1), tokenizer: undefined, apply };
 *
 * const { sequences } = await beamSearch(model, [[3, 1, 4], [5]], {
 *   numBeams: 4, numReturnSequences: 2, maxTokens: 6, processors: [noRepeatNgram(2)],
 * });
 * sequences.map((ofPrompt) => ofPrompt.length); // => [2, 2]
 * const [best, second] = sequences[0];
 * best.score >= second.score; // => true
 * ```
 */
export async function beamSearch(
  model: GenerativeModel,
  prompts: readonly (string | readonly number[])[] | EncodedSource,
  given?: BeamSearchOptions,
): Promise<BeamSearchResult> {
  const startTime = performance.now();
  checkModel(check, model, ["decoder", "encoder-decoder", "speech"], { causal: true });
  const options = check.options(given, names);
  checkPrompts(check, prompts);
  const { signal, onToken } = options;
  checkSignal("beamSearch", signal);
  const settings = checkSettings(options);
  const maxTokens = checkMaxTokens(check, options.maxTokens);
  const stops = stopConditions(check, model, options.stop);
  const padId = checkPadId(check, options.padId, model.config.vocabSize);
  if (options.cache !== undefined) checkEmptyCache(check, options.cache);
  const {
    prompts: promptIds,
    cache,
    processors,
    promptTokens,
  } = prepareGeneration(check, model, prompts, options);
  const remaining = promptIds.map((ids) => remainingContext(check, model, ids.length, 0));
  const processorPrompts = paddedPrompts(promptIds, padId);
  const searchers = promptIds.map((ids, prompt) =>
    beamSearcher({
      ...settings,
      processors,
      ...stops,
      check,
      prompt,
      promptIds: processorPrompts[prompt]!,
      tokenLimit: Math.min(maxTokens, remaining[prompt]! + 1),
      limitReason: maxTokens <= remaining[prompt]! + 1 ? "length" : "context",
      decodeText: (generated) => {
        const stream = textStream(model.tokenizer, ids, stops.stopTexts);
        let text = "";
        for (const id of generated) {
          const step = stream.push(id);
          text += step.text;
          if (step.stopped) return { text, stopText: step.stopText };
        }
        return { text: text + stream.end() };
      },
    }),
  );
  const stream = onToken && reportDecidedTokens(model, promptIds, stops.stopTexts, onToken);
  const yieldToEventLoop = eventLoopYielder();
  let firstLogitsTime = startTime;
  if (promptIds.length > 0 && maxTokens > 0) {
    try {
      signal?.throwIfAborted();
      let logits = await prefill(model, promptIds, cache);
      firstLogitsTime = performance.now();
      // Each batch row of the cache is a running beam; at first there is one per prompt.
      let active = searchers;
      while (active.length > 0) {
        let row = 0;
        const parentRows: number[] = [];
        const tokens: number[] = [];
        for (const searcher of active) {
          const from = row;
          row += searcher.running.length;
          searcher.step(logits.slice(from, row));
          stream?.(searcher);
          for (const { parent, ids } of searcher.running) {
            parentRows.push(from + parent);
            tokens.push(ids.at(-1)!);
          }
        }
        active = active.filter(({ running }) => running.length > 0);
        if (active.length === 0) break;
        const isSameOrder = parentRows.length === row && parentRows.every((parentRow, i) => parentRow === i);
        if (!isSameOrder) cache.reorder(parentRows);
        await yieldToEventLoop();
        signal?.throwIfAborted();
        logits = await decodeStep(model, tokens, cache);
      }
    } finally {
      cache.reset();
    }
  }
  const sequences = searchers.map((searcher) => searcher.sequences());
  return {
    sequences,
    usage: {
      promptTokens,
      generatedTokens: sequences
        .flat()
        .reduce((sum, { ids, stoppedBy }) => sum + ids.length + (typeof stoppedBy === "number" ? 1 : 0), 0),
    },
    timings: { promptMs: firstLogitsTime - startTime, generationMs: performance.now() - firstLogitsTime },
  };
}

function checkSettings(options: BeamSearchOptions) {
  const { numBeams = 4, lengthPenalty = 1, earlyStopping = false, numReturnSequences = 1 } = options;
  const { logprobs = 0, onToken, processors = [] } = options;
  check.whole({ numBeams }, { min: 1, unit: "beams", fix: "use 1 for greedy search, 4 for a usual search." });
  check.finite({ lengthPenalty }, { fix: "use 1 for the mean log-probability, 0 for their sum." });
  const isKind = (value: unknown) => typeof value === "boolean" || value === "never";
  check.each({ earlyStopping }, isKind, 'true, false or "never"', "leave it out for false.");
  check.whole(
    { numReturnSequences },
    { min: 1, max: numBeams, unit: "sequences", fix: `raise \`numBeams\`, which is ${numBeams}.` },
  );
  check.whole({ logprobs }, { min: 0, unit: "tokens" });
  if (onToken !== undefined) check.type({ onToken }, "function");
  checkProcessors(check, processors);
  return { numBeams, lengthPenalty, earlyStopping, numReturnSequences, logprobs };
}

/** Returns a function that calls `onToken` for the tokens of a prompt's best sequence that all remaining candidates share. */
function reportDecidedTokens(
  { tokenizer }: Pick<GenerativeModel, "tokenizer">,
  prompts: readonly (readonly number[])[],
  stopTexts: readonly string[],
  onToken: (token: BeamToken) => void,
): (searcher: BeamSearcher) => void {
  const streams = prompts.map((ids) => textStream(tokenizer, ids, stopTexts));
  const counts = prompts.map(() => 0);
  return ({ prompt, contenders, running }) => {
    const [candidate, ...others] = contenders();
    if (!candidate) return;
    const hasEnded = running.length === 0;
    let shared = candidate.ids.length;
    for (const { ids } of others) shared = sharedLength(candidate, ids, shared);
    const queue: BeamToken[] = [];
    let stopped = false;
    for (const token of candidate.tokens.slice(counts[prompt], shared)) {
      const step = streams[prompt]!.push(token.id);
      queue.push({ prompt, ...token, text: stopped ? "" : step.text });
      stopped ||= step.stopped;
    }
    counts[prompt] = shared;
    if (hasEnded && queue.length > 0 && !stopped) queue.at(-1)!.text += streams[prompt]!.end();
    for (const token of queue) onToken(token);
  };
}

/** Length of the common prefix of two sequences, at most `limit`. */
function sharedLength(beam: Beam, ids: readonly number[], limit: number): number {
  let length = 0;
  while (length < Math.min(limit, ids.length) && beam.ids[length] === ids[length]) length += 1;
  return length;
}
