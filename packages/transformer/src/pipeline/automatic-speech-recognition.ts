import { checks, type Checks } from "@qkv/core";
import type { SpeechModel } from "../models/speech-model.js";
import { transcribe, type TranscribeOptions } from "../speech/transcribe.js";
import { refuseUnsupported } from "./load-options.js";
import { requiredTokenizer } from "./texts-to-rows.js";

/** Audio: one channel at 16 kHz, or with its sample rate. */
export type SpeechInput = Float32Array | { array: Float32Array; sampling_rate: number };

/** Options of a call of an {@link AutomaticSpeechRecognitionPipeline}, with the names of Transformers.js. */
export type AutomaticSpeechRecognitionOptions = {
  /** True: returns segments with timestamps as `chunks`; `"word"`: words with timestamps. Default false. */
  return_timestamps?: boolean | "word";
  /** The spoken language: its code, or its English name. Default: detected by the model. */
  language?: string;
  /** `translate`: into English. Default `transcribe`. */
  task?: "transcribe" | "translate";
  /** Sample rate of the audio. A rate other than the model's is refused. Unit: Hz. */
  sampling_rate?: number;
  /** Default 1. */
  num_beams?: number;
  /** Maximum number of new tokens per window of 30 s. */
  max_new_tokens?: number;
  signal?: AbortSignal;
};

/** A transcription. */
export type RecognizedSpeech = {
  text: string;
  /** With `return_timestamps`: each segment or word with its start and end. Unit: seconds. */
  chunks?: { timestamp: [number, number]; text: string }[];
};

/** Call signatures of a speech recognition pipeline. */
export type AutomaticSpeechRecognitionCall = {
  (audio: SpeechInput, options?: AutomaticSpeechRecognitionOptions): Promise<RecognizedSpeech>;
  (audio: readonly SpeechInput[], options?: AutomaticSpeechRecognitionOptions): Promise<RecognizedSpeech[]>;
};

const names = [
  "return_timestamps",
  "language",
  "task",
  "sampling_rate",
  "num_beams",
  "max_new_tokens",
  "signal",
] as const satisfies readonly (keyof AutomaticSpeechRecognitionOptions)[];

/** Unsupported options of Transformers.js, and their replacements. */
const replacements: Readonly<Record<string, string>> = {
  chunk_length_s:
    "leave it out: sound of any length is read in windows, each from the end of the last segment.",
  stride_length_s: "leave it out: windows begin where a segment ended.",
  force_full_sequences: "leave it out: windows begin where a segment ended.",
  num_frames: "leave it out: the length of the sound is its own.",
};

/** Creates the function of a speech recognition pipeline. */
export function automaticSpeechRecognition(
  check: Checks<{ argument: string }>,
  model: SpeechModel,
): AutomaticSpeechRecognitionCall {
  requiredTokenizer(check, model.tokenizer);
  const callCheck: Checks = checks('pipeline("automatic-speech-recognition")');
  const call = async (
    audio: SpeechInput | readonly SpeechInput[],
    given?: AutomaticSpeechRecognitionOptions,
  ): Promise<RecognizedSpeech | RecognizedSpeech[]> => {
    refuseUnsupported(callCheck, given, replacements, "a call of this pipeline");
    const options = callCheck.options(given, names);
    const withTimes = options.return_timestamps ?? false;
    callCheck.each(
      { return_timestamps: withTimes },
      (value) => typeof value === "boolean" || value === "word",
      'true, false or "word"',
      'write true for segments, "word" for words.',
    );
    const recognize = async (sound: SpeechInput): Promise<RecognizedSpeech> => {
      const { array, sampling_rate } = checkAudio(callCheck, sound, options);
      const { text, segments } = await transcribe(model, array, {
        ...transcribeOptions(options, model.speech.languages),
        // Word timestamps come from attention, so the model needs no timestamp tokens.
        ...(withTimes === "word" ? { words: true } : { timestamps: withTimes }),
        ...(sampling_rate !== undefined && { sampleRate: sampling_rate }),
      });
      if (!withTimes) return { text };
      const timedParts = withTimes === "word" ? segments.flatMap(({ words }) => words!) : segments;
      const chunks = timedParts.map(({ start, end, text }) => ({
        timestamp: [start, end] as [number, number],
        text,
      }));
      return { text, chunks };
    };
    if (!Array.isArray(audio)) return recognize(audio as SpeechInput);
    const results: RecognizedSpeech[] = [];
    for (const sound of audio as readonly SpeechInput[]) results.push(await recognize(sound));
    return results;
  };
  return call as AutomaticSpeechRecognitionCall;
}

function transcribeOptions(
  { language, task, num_beams, max_new_tokens, signal }: AutomaticSpeechRecognitionOptions,
  languages: SpeechModel["speech"]["languages"],
): TranscribeOptions {
  return {
    ...(language !== undefined && { language: languageCode(language, languages) }),
    ...(task !== undefined && { task }),
    ...(num_beams !== undefined && { numBeams: num_beams }),
    ...(max_new_tokens !== undefined && { maxTokens: max_new_tokens }),
    ...(signal && { signal }),
  };
}

/** The code of a language from its English name, if the platform knows it. */
function languageCode(language: string, languages: SpeechModel["speech"]["languages"]): string {
  const name = String(language).toLowerCase();
  const codes = Object.keys(languages ?? {});
  if (codes.includes(name)) return name;
  const names = new Intl.DisplayNames("en", { type: "language" });
  return codes.find((code) => names.of(code)?.toLowerCase() === name) ?? language;
}

function checkAudio(
  check: Checks,
  audio: unknown,
  { sampling_rate }: AutomaticSpeechRecognitionOptions,
): { array: Float32Array; sampling_rate: number | undefined } {
  if (audio instanceof Float32Array) return { array: audio, sampling_rate };
  const given = (audio ?? {}) as { array?: unknown; sampling_rate?: unknown };
  if (given.array instanceof Float32Array && typeof given.sampling_rate === "number")
    return { array: given.array, sampling_rate: given.sampling_rate };
  return check.refuse({
    argument: "audio",
    received: audio,
    expected: "a Float32Array at 16 kHz, or { array, sampling_rate }: one channel of sound",
    fix: "let the platform decode files: in a page `(await new AudioContext({ sampleRate: 16000 }).decodeAudioData(bytes)).getChannelData(0)`.",
  });
}
