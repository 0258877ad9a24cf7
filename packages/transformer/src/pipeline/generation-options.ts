import { checkSignal, type Checks } from "@qkv/core";
import type { BeamSearchOptions } from "../generation/beam-search.js";
import { badWords } from "../generation/processors/sequence-bias.js";
import { forcedEos } from "../generation/processors/forced-tokens.js";
import { checkProcessors, type LogitsProcessor } from "../generation/processors/logits-processor.js";
import { minLength, minNewTokens } from "../generation/processors/min-length.js";
import { noRepeatNgram } from "../generation/processors/no-repeat-ngram.js";
import { repetitionPenalty } from "../generation/processors/repetition-penalty.js";
import { suppressTokens, suppressTokensAtBegin } from "../generation/processors/suppress-tokens.js";
import { newSeed } from "../generation/new-seed.js";
import type { Sampling } from "../generation/sampling.js";
import type { TokenStreamer } from "./text-streamer.js";

/** Generation options with the names of Hugging Face's libraries. */
export type GenerationOptions = {
  /** Maximum number of new tokens. Default 256. */
  max_new_tokens?: number;
  /** Maximum length including the prompt. `max_new_tokens` takes precedence. */
  max_length?: number;
  min_new_tokens?: number;
  min_length?: number;
  /** True: tokens are sampled. Default: greedy decoding, unless `generation_config.json` enables sampling. */
  do_sample?: boolean;
  /** With `do_sample`. Default 1. */
  temperature?: number;
  /** With `do_sample`: 0 for all tokens. Default 50. */
  top_k?: number;
  /** With `do_sample`. Default 1. */
  top_p?: number;
  /** With `do_sample`. Default 0. */
  min_p?: number;
  repetition_penalty?: number;
  no_repeat_ngram_size?: number;
  bad_words_ids?: readonly (readonly number[])[];
  suppress_tokens?: readonly number[];
  begin_suppress_tokens?: readonly number[];
  forced_eos_token_id?: number | readonly number[];
  /** Stop ids. Default: those of the model. */
  eos_token_id?: number | readonly number[];
  /** Number of beams. Default 1: no beam search. */
  num_beams?: number;
  length_penalty?: number;
  early_stopping?: boolean | "never";
  /** Number of results per text, with `do_sample` or beams. Default 1. */
  num_return_sequences?: number;
  /** Logits processors of `@qkv/transformer/processors`, applied after those of the options above. */
  logits_processor?: readonly LogitsProcessor[];
  /** Receives the tokens of a single text as they are generated: a {@link TextStreamer}. */
  streamer?: TokenStreamer;
  /** Seed of the sampling: the same seed gives the same tokens. Default: a new one for each call. */
  seed?: number;
  signal?: AbortSignal;
};

/** Generation options in the form of `generate`, `generateBatch` and `beamSearch`. */
export type Generation = {
  /** Maximum number of new tokens, for the longest prompt. */
  maxTokens(promptLength: number): number;
  readonly sampling: Required<Pick<Sampling, "temperature" | "seed">> & Sampling;
  readonly processors: readonly LogitsProcessor[];
  /** Undefined: no beam search. */
  readonly beams:
    Pick<BeamSearchOptions, "numBeams" | "lengthPenalty" | "earlyStopping" | "processors"> | undefined;
  readonly samples: number;
  /** Undefined: the model's own. */
  readonly stopIds: readonly number[] | undefined;
  readonly streamer: TokenStreamer | undefined;
  readonly signal: AbortSignal | undefined;
};

export const generationNames = [
  "max_new_tokens",
  "max_length",
  "min_new_tokens",
  "min_length",
  "do_sample",
  "temperature",
  "top_k",
  "top_p",
  "min_p",
  "repetition_penalty",
  "no_repeat_ngram_size",
  "bad_words_ids",
  "suppress_tokens",
  "begin_suppress_tokens",
  "forced_eos_token_id",
  "eos_token_id",
  "num_beams",
  "length_penalty",
  "early_stopping",
  "num_return_sequences",
  "logits_processor",
  "streamer",
  "seed",
  "signal",
] as const satisfies readonly (keyof GenerationOptions)[];

/** Options that are read from `generation_config.json` as defaults. Stop ids are part of the model. */
const fileOptions = [
  "do_sample",
  "temperature",
  "top_k",
  "top_p",
  "min_p",
  "repetition_penalty",
  "no_repeat_ngram_size",
  "bad_words_ids",
  "suppress_tokens",
  "begin_suppress_tokens",
  "forced_eos_token_id",
  "num_beams",
  "length_penalty",
  "early_stopping",
  "min_new_tokens",
  "min_length",
] as const satisfies readonly (keyof GenerationOptions)[];

/** Unsupported options of other libraries, and their replacements. */
export const unsupportedGenerationOptions: Readonly<Record<string, string>> = {
  assistant_model: "call `generate(model, text, { speculate: {} })`, which drafts from the text itself.",
  bos_token_id: "leave it out: it is the tokenizer's; `add_special_tokens: false` adds none.",
  constraints: "give a processor of your own in `logits_processor`.",
  diversity_penalty: "leave it out: beams are not in groups.",
  epsilon_cutoff: "write `logits_processor: [epsilonCutoff(…)]`, of @qkv/transformer/processors.",
  eta_cutoff: "write `logits_processor: [etaCutoff(…)]`, of @qkv/transformer/processors.",
  generation_config: "give its options one by one: `{ ...generation_config }`.",
  guidance_scale: "leave it out: there is no guidance.",
  max_time: "write `signal: AbortSignal.timeout(ms)`.",
  num_beam_groups: "leave it out: beams are not in groups.",
  output_attentions:
    'call the model: `generator.model.apply(…, { trace: { names: ["weights"], tensors } })`.',
  output_hidden_states: "call the model: `generator.model.apply(…, { trace })`.",
  output_scores: "call `generate(generator.model, text, { logprobs: 5 })`.",
  pad_token_id: "leave it out: texts of several lengths need no padding.",
  past_key_values: "call `generate(generator.model, text, { cache })`.",
  penalty_alpha: "leave it out: there is no contrastive search.",
  return_dict_in_generate: "call `generate(generator.model, text, { logprobs: 5 })`.",
  stop_strings: 'call `generate(generator.model, text, { stop: ["END"] })`.',
  stopping_criteria: "write `signal: controller.signal`, or call `generate` and leave the loop.",
  typical_p: "write `logits_processor: [typicalP(…)]`, of @qkv/transformer/processors.",
  use_cache: "leave it out: keys and values are always cached.",
};

/** Defaults of a model: the options in `generation_config.json` that are not null. */
export function generationDefaults(file: unknown): Partial<GenerationOptions> {
  const given = (typeof file === "object" && file !== null ? file : {}) as Record<string, unknown>;
  return Object.fromEntries(
    fileOptions.flatMap((name) => (isGiven(given[name]) ? [[name, given[name]]] : [])),
  );
}

/** False for absent options, which Python writes as `null`. */
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** Reads the options of a call, with the defaults of the model. */
export function readGeneration(
  check: Checks,
  given: GenerationOptions,
  defaults: Partial<GenerationOptions>,
): Generation {
  const callOptions = Object.fromEntries(Object.entries(given).filter(([, value]) => isGiven(value)));
  const options: GenerationOptions = { ...defaults, ...callOptions };
  const { max_new_tokens, max_length, num_beams = 1, num_return_sequences = 1, seed } = options;
  const { do_sample = false, streamer, signal, eos_token_id } = options;
  check.type({ do_sample }, "boolean");
  checkSignal(check.fn, signal);
  if (max_new_tokens !== undefined) check.whole({ max_new_tokens }, { min: 0, unit: "tokens" });
  if (max_length !== undefined) check.whole({ max_length }, { min: 1, unit: "tokens" });
  check.whole({ num_beams, num_return_sequences }, { min: 1 });
  if (seed !== undefined) check.whole({ seed });
  if (num_beams > 1 && given.do_sample === true) {
    check.refuse({
      argument: "do_sample",
      received: true,
      expected: "false beside `num_beams`: beams are searched, not drawn",
      fix: "leave one of the two out.",
    });
  }
  const isSampling = do_sample && num_beams === 1;
  if (num_return_sequences > 1 && !isSampling && num_beams < num_return_sequences) {
    check.refuse({
      argument: "num_return_sequences",
      received: num_return_sequences,
      expected:
        "1 where the likeliest token is taken, since all would be the same; at most `num_beams` of beam search",
      fix: `write \`do_sample: true\`, or \`num_beams: ${num_return_sequences}\`.`,
    });
  }
  if (streamer !== undefined) checkStreamer(check, streamer, num_beams * num_return_sequences);
  const processors = logitsProcessors(check, options);
  return {
    maxTokens: (promptLength) =>
      max_new_tokens ?? (max_length === undefined ? 256 : Math.max(0, max_length - promptLength)),
    sampling: isSampling
      ? { ...samplingOptions(options), seed: seed ?? newSeed() }
      : { ...penaltyOption(options), temperature: 0, seed: 0 },
    processors,
    beams: num_beams > 1 ? beamOptions(options, num_beams, processors) : undefined,
    samples: num_return_sequences,
    stopIds: eos_token_id === undefined ? undefined : [eos_token_id].flat(),
    streamer,
    signal,
  };
}

const penaltyOption = ({ repetition_penalty }: GenerationOptions): Sampling =>
  repetition_penalty === undefined ? {} : { repetitionPenalty: repetition_penalty };

function samplingOptions(options: GenerationOptions): Sampling & { temperature: number } {
  const { temperature = 1, top_k = 50, top_p, min_p } = options;
  return {
    ...penaltyOption(options),
    temperature,
    ...(top_k !== 0 && { topK: top_k }),
    ...(top_p !== undefined && { topP: top_p }),
    ...(min_p !== undefined && { minP: min_p }),
  };
}

function beamOptions(
  { length_penalty, early_stopping, repetition_penalty }: GenerationOptions,
  numBeams: number,
  processors: readonly LogitsProcessor[],
): NonNullable<Generation["beams"]> {
  return {
    numBeams,
    ...(length_penalty !== undefined && { lengthPenalty: length_penalty }),
    ...(early_stopping !== undefined && { earlyStopping: early_stopping }),
    processors: [
      ...(repetition_penalty === undefined ? [] : [repetitionPenalty(repetition_penalty)]),
      ...processors,
    ],
  };
}

/** Logits processors in the order of Hugging Face's `generate`. The repetition penalty is part of `sampling`. */
function logitsProcessors(check: Checks, options: GenerationOptions): readonly LogitsProcessor[] {
  const optional = <T>(value: T | undefined, create: (value: T) => LogitsProcessor) =>
    value === undefined ? [] : [create(value)];
  const { no_repeat_ngram_size: ngrams } = options;
  return [
    ...optional(ngrams === 0 ? undefined : ngrams, noRepeatNgram),
    ...optional(options.bad_words_ids, badWords),
    ...optional(options.min_length === 0 ? undefined : options.min_length, minLength),
    ...optional(options.min_new_tokens === 0 ? undefined : options.min_new_tokens, minNewTokens),
    ...optional(options.forced_eos_token_id, forcedEos),
    ...optional(options.suppress_tokens, suppressTokens),
    ...optional(options.begin_suppress_tokens, suppressTokensAtBegin),
    ...checkProcessors(check, options.logits_processor ?? []),
  ];
}

function checkStreamer(check: Checks, streamer: TokenStreamer, sequences: number): void {
  const isStreamer = (value: unknown) => typeof (value as Partial<TokenStreamer> | null)?.put === "function";
  const fix = "write `streamer: new TextStreamer(generator.tokenizer, { skip_prompt: true })`.";
  check.each({ streamer }, isStreamer, "an object with `put(ids)` and `end()`", fix);
  if (sequences === 1) return;
  check.refuse({
    argument: "streamer",
    received: "a streamer of several sequences",
    expected: "one for one sequence",
    fix: "leave out `num_beams` and `num_return_sequences`.",
  });
}
