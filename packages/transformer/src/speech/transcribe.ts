import { checks, checkSignal, type Checks, knownNames } from "@qkv/core";
import { checkSampleRate } from "../audio/feature-extractor.js";
import { beamSearch } from "../generation/beam-search.js";
import { generate } from "../generation/generate.js";
import type { LogitsProcessor } from "../generation/processors/logits-processor.js";
import { suppressTokens, suppressTokensAtBegin } from "../generation/processors/suppress-tokens.js";
import { timestampRules } from "../generation/processors/timestamps.js";
import type { EncodedSource } from "../models/encoded-source.js";
import type { SpeechModel } from "../models/speech-model.js";
import { wordTimestamps, type WordTimestamp, type WordTimestampOptions } from "./word-timestamps.js";
import { windowSegments, type SpeechSegment, type WindowSegments } from "./segments.js";

/** Options of {@link transcribe}. */
export type TranscribeOptions = {
  /** Code of the spoken language, such as `en`. Default: detected in the first window. */
  language?: string;
  /** `translate`: into English. Default `transcribe`. */
  task?: "transcribe" | "translate";
  /** True: segments have timestamps. Default: false for audio of one window, else true. */
  timestamps?: boolean;
  /** True: segments have words with timestamps, from {@link wordTimestamps}. Default false. */
  words?: boolean;
  /** Sample rate of the waveform, if known. A rate other than the model's is refused. Unit: Hz. */
  sampleRate?: number;
  /** Number of beams. Default 1: greedy decoding. */
  numBeams?: number;
  /** Maximum number of tokens per window. Default: the decoder's context. */
  maxTokens?: number;
  signal?: AbortSignal;
  /** Called with each segment as soon as its window is transcribed. */
  onSegment?: (segment: TranscribedSegment) => void;
};

/** A segment with its text, which is empty without a tokenizer. */
export type TranscribedSegment = SpeechSegment & {
  readonly text: string;
  /** With `words`. */
  readonly words?: readonly WordTimestamp[];
};

/** A transcription. */
export type Transcription = {
  readonly text: string;
  /** Code of the language, for multilingual models. */
  readonly language?: string;
  readonly segments: readonly TranscribedSegment[];
};

/** Window length of models without a fixed input length. Unit: seconds. */
const windowSeconds = 30;

/**
 * Transcribes speech. Audio longer than the input length of the model is split into windows of 30 s. If the model has timestamp tokens, each
 * window begins where the last complete segment ended, so that no word is cut.
 *
 * @param model - From `loadSpeech`.
 * @param waveform - One channel at the model's sample rate (16 kHz), from −1 to 1. Use the platform to decode and resample audio.
 * @throws {ArgumentError} If the sample rate is another, the model does not support the language or the task, or an option is out
 *   of range. The signal's reason, when it aborts.
 * @see "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), arXiv:2212.04356, section 4.5
 *
 * @example
 * ```ts
 * import { transcribe } from "@qkv/transformer";
 *
 * // const model = await loadSpeech("openai/whisper-tiny");
 * // const context = new AudioContext({ sampleRate: 16000 });
 * // const sound = (await context.decodeAudioData(bytes)).getChannelData(0);
 * // const { text, segments } = await transcribe(model, sound, { timestamps: true });
 * await transcribe(undefined as never, new Float32Array(16000)); // => throws ArgumentError: `model` is undefined
 * ```
 */
export async function transcribe(
  model: SpeechModel,
  waveform: Float32Array,
  options?: TranscribeOptions,
): Promise<Transcription> {
  const isModel = () => typeof (model as Partial<SpeechModel> | undefined)?.features?.apply === "function";
  check.each({ model }, isModel, "a speech model", "load one with `loadSpeech`.");
  const call = readOptions(model, waveform, options);
  const { tokenizer } = model;
  const { sampleRate, maxSamples = windowSeconds * sampleRate } = model.features;
  const { signal, onSegment } = call;
  // Several windows need timestamps, to find where each ends.
  const isLong = waveform.length > maxSamples;
  const withTimestamps = model.speech.noTimestampsId !== undefined && (call.timestamps || isLong);
  let language = call.language;
  const segments: TranscribedSegment[] = [];
  for (let seek = 0; seek < waveform.length;) {
    signal?.throwIfAborted();
    const clip = waveform.subarray(seek, seek + maxSamples);
    const duration = clip.length / sampleRate;
    const source = encodeClip(model, clip);
    language ??= model.speech.languages && (await likeliestLanguage(model, source));
    const ids = await decodeWindow(model, source, { ...call, language, withTimestamps });
    const window = withTimestamps
      ? windowSegments(ids, model.speech.noTimestampsId! + 1, duration)
      : wholeWindow(ids, duration);
    const offset = seek / sampleRate;
    const decoderIds = decoderPrompt(model, language, call.task, false);
    const words = call.words ? await timeWords(model, source, window.segments, { decoderIds, duration }) : [];
    for (const [i, { start, end, ids }] of window.segments.entries()) {
      const text = tokenizer?.decode(ids) ?? "";
      const segmentWords = words[i]?.map((word) => ({
        ...word,
        start: offset + word.start,
        end: offset + word.end,
      }));
      const segment = {
        start: offset + start,
        end: offset + end,
        text,
        ids,
        ...(segmentWords && { words: segmentWords }),
      };
      segments.push(segment);
      onSegment?.(segment);
    }
    seek += Math.max(1, Math.round(window.advance * sampleRate));
  }
  const text = segments.map(({ text }) => text).join("");
  return { text, ...(language !== undefined && { language }), segments };
}

/** Timestamps of the words of each segment of a window, aligned together. */
async function timeWords(
  model: SpeechModel,
  source: EncodedSource,
  segments: readonly SpeechSegment[],
  options: WordTimestampOptions,
): Promise<WordTimestamp[][]> {
  const words = await wordTimestamps(
    model,
    source,
    segments.flatMap(({ ids }) => ids),
    options,
  );
  let [next, tokens] = [0, 0];
  let end = 0;
  return segments.map(({ ids }) => {
    end += ids.length;
    const first = next;
    // A word that spans two segments belongs to the first.
    while (next < words.length && tokens < end) tokens += words[next++]!.ids.length;
    return words.slice(first, next);
  });
}

/** A single segment for a whole window. */
const wholeWindow = (ids: readonly number[], duration: number): WindowSegments => ({
  segments: ids.length === 0 ? [] : [{ start: 0, end: duration, ids }],
  advance: duration,
});

/** Encodes a clip. A clip shorter than the convolutions need is padded with zeros. */
function encodeClip({ features: extractor, encode, params, leastFrames }: SpeechModel, clip: Float32Array) {
  const { device } = params.embedding.weight;
  const minLength = extractor.maxSamples === undefined ? leastFrames : 1;
  const padded =
    clip.length >= minLength ? clip : Float32Array.from({ length: minLength }, (_, i) => clip[i] ?? 0);
  const { features } = extractor.apply(padded, { device });
  return encode(params, features);
}

/** Detects the language: the most likely language token after the start token. */
async function likeliestLanguage(
  { apply, params, config, speech }: SpeechModel,
  source: EncodedSource,
): Promise<string> {
  const logits = apply(params, config.startIds, { source, last: 1 });
  const values = (await logits.read()).subarray(-config.vocabSize);
  const languages = Object.entries(speech.languages!);
  const [code] = languages.reduce((best, language) =>
    values[language[1]]! > values[best[1]]! ? language : best,
  );
  return code;
}

type TextOptions = Omit<ReturnType<typeof readOptions>, "language"> & {
  language: string | undefined;
  withTimestamps: boolean;
};

/** Decodes a window to tokens, including timestamps. */
async function decodeWindow(
  model: SpeechModel,
  source: EncodedSource,
  { language, task, withTimestamps, numBeams, maxTokens, signal }: TextOptions,
): Promise<readonly number[]> {
  // Without the tokenizer, because texts are decoded per segment and without timestamp tokens.
  const untokenized = { ...model, tokenizer: undefined };
  const decoderIds = decoderPrompt(model, language, task, withTimestamps);
  const options = {
    decoderIds,
    processors: generationProcessors(model, withTimestamps),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(signal && { signal }),
  };
  if (numBeams > 1) {
    const { sequences } = await beamSearch(untokenized, source, { ...options, numBeams });
    return sequences[0]![0]!.ids;
  }
  const ids: number[] = [];
  for await (const { id } of generate(untokenized, source, options)) ids.push(id);
  return ids;
}

/** The decoder prompt: start token, language, task, and `<|notimestamps|>` unless timestamps are requested. */
function decoderPrompt(
  { config, speech }: SpeechModel,
  language: string | undefined,
  task: "transcribe" | "translate",
  withTimestamps: boolean,
): number[] {
  const { languages, tasks, noTimestampsId, forced } = speech;
  const languageAndTask =
    languages && language !== undefined
      ? [languages[language]!, ...(tasks?.[task] === undefined ? [] : [tasks[task]])]
      : forced.filter((id) => id !== noTimestampsId);
  const noTimestamps = noTimestampsId !== undefined && !withTimestamps ? [noTimestampsId] : [];
  return [...config.startIds, ...languageAndTask, ...noTimestamps];
}

/** Logits processors from the generation settings of a model. */
function generationProcessors({ speech }: SpeechModel, withTimestamps: boolean): LogitsProcessor[] {
  const { suppressed, suppressedAtBegin, noTimestampsId, maxInitialTimestamp } = speech;
  return [
    ...(suppressed.length > 0 ? [suppressTokens(suppressed)] : []),
    ...(suppressedAtBegin.length > 0 ? [suppressTokensAtBegin(suppressedAtBegin)] : []),
    ...(withTimestamps
      ? [
          timestampRules({
            noTimestampsId: noTimestampsId!,
            ...(maxInitialTimestamp !== undefined && { maxInitialTimestamp }),
          }),
        ]
      : []),
  ];
}

function readOptions(
  { speech, features }: SpeechModel,
  waveform: Float32Array,
  transcribeOptions: TranscribeOptions | undefined,
) {
  check.each(
    { waveform },
    (value) => value instanceof Float32Array,
    "a Float32Array: one channel of sound",
    "decode sound by the platform: `audioBuffer.getChannelData(0)`.",
  );
  const options = check.options(transcribeOptions, names);
  const { language, task = "transcribe", timestamps = false, words = false } = options;
  const { numBeams = 1, maxTokens, onSegment } = options;
  checkSampleRate(check, options.sampleRate ?? features.sampleRate, features.sampleRate);
  check.oneOf({ task }, ["transcribe", "translate"]);
  check.type({ timestamps, words }, "boolean");
  check.whole({ numBeams }, { min: 1, unit: "beams" });
  if (maxTokens !== undefined) check.whole({ maxTokens }, { min: 1, unit: "tokens" });
  if (onSegment !== undefined) check.type({ onSegment }, "function");
  checkSignal("transcribe", options.signal);
  const { languages, tasks, noTimestampsId } = speech;
  if (language !== undefined) {
    const known = Object.keys(languages ?? {});
    const expected = languages
      ? `one of ${knownNames(language, known, "`languages` of the model's `speech`")}`
      : "nothing, as the model supports one language";
    check.each(
      { language },
      () => known.includes(language),
      expected,
      "leave it out to let the model choose.",
    );
  }
  if (task === "translate" && tasks?.["translate"] === undefined) {
    const expected = '"transcribe", as the model does not translate';
    check.refuse({ argument: "task", received: task, expected, fix: "leave it out." });
  }
  if (timestamps && noTimestampsId === undefined) {
    const expected = "false, as the model has no timestamp tokens";
    check.refuse({ argument: "timestamps", received: true, expected, fix: "leave it out." });
  }
  return { ...options, task, timestamps, words, numBeams };
}

const check: Checks = /* @__PURE__ */ checks("transcribe");
const names: readonly (keyof TranscribeOptions)[] = [
  "language",
  "task",
  "timestamps",
  "words",
  "sampleRate",
  "numBeams",
  "maxTokens",
  "signal",
  "onSegment",
];
