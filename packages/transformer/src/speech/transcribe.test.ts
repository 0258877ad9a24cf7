import { tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { whisperFeatures } from "../audio/whisper-features.js";
import type { FeatureExtractor } from "../audio/feature-extractor.js";
import type { SpeechModel } from "../models/speech-model.js";
import { speechToText } from "../models/speech-to-text.js";
import type { SpeechTokens } from "../models/speech-tokens.js";
import { transcribe, type TranscribeOptions } from "./transcribe.js";

// Words 0 to 9, the end 10, the start 11, en 12, de 13, transcribe 14, translate 15, <|notimestamps|> 16, times from 17 on.
const [stop, start, en, de, transcribing, translating, none, zero] = [10, 11, 12, 13, 14, 15, 16, 17];
const vocabSize = 80;
const rate = 16000;
const at = (seconds: number) => zero + Math.round(seconds / 0.02);
const whisperTokens: SpeechTokens = {
  languages: { en, de },
  tasks: { transcribe: transcribing, translate: translating },
  noTimestampsId: none,
  suppressed: [],
  suppressedAtBegin: [],
  forced: [],
};

const layers = {
  ...{ embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, contextLength: 40 },
  placement: "pre",
} as const;
const made = speechToText({
  ...layers,
  ...{ vocabSize, startIds: [start], stopIds: [stop] },
  encoder: {
    ...layers,
    inputChannels: 4,
    convolutions: [{ channels: 8, kernelSize: 3, padding: 1, stride: 2, activation: "gelu" }],
  },
});

/** A model that says what a script has for each window, and what was asked of it. */
function scripted(script: readonly (readonly number[])[], speech = whisperTokens) {
  const extractor = whisperFeatures({ chunkLength: 0.8, numMels: 4 });
  const clips: { first: number; length: number }[] = [];
  const prompts: number[][] = [];
  let [window, written] = [-1, 0];
  const features: FeatureExtractor = {
    ...extractor,
    apply(waveforms, options) {
      const clip = waveforms as Float32Array;
      clips.push({ first: Math.round(clip[0]! * rate), length: clip.length });
      [window, written] = [window + 1, 0];
      return extractor.apply(clip, options);
    },
  };
  const apply: SpeechModel["apply"] = (params, ids, options) => {
    const real = made.apply(params, ids, options);
    const list = Array.isArray(ids) ? (ids as number[]) : [...(ids as Tensor).data];
    const isPrompt = list.length > 1 || list[0] === start;
    const asks = isPrompt && list.length === 1 && speech.languages !== undefined && options?.source;
    if (isPrompt) prompts.push(list);
    const next = asks ? de : (script[window]?.[written++] ?? stop);
    const [B, T] = real.shape as [number, number, number];
    return tensor(
      Float32Array.from({ length: B * T * vocabSize }, (_, i) => (i % vocabSize === next ? 20 : 0)),
      { shape: real.shape },
    );
  };
  const model: SpeechModel = {
    ...{ config: made.config, params: made.init(1), encode: made.encode, apply },
    ...{ features, speech, leastFrames: made.leastFrames },
    tokenizer: { decode: (ids: Iterable<number>) => ` ${[...ids].join("-")}` } as never,
  };
  return { model, clips, prompts };
}

/** Sound whose samples are their own places. */
const sound = (seconds: number) =>
  Float32Array.from({ length: Math.round(seconds * rate) }, (_, i) => i / rate);

test("a window begins where the last complete segment of the previous window ended", async () => {
  const { model, clips } = scripted([
    [at(0), 1, 2, at(0.3), at(0.4), 3, at(0.5), at(0.6), 4],
    [at(0.1), 4, 5, at(0.3), at(0.3), 6, at(0.7)],
    [at(0), 7, at(0.2)],
  ]);
  const heard: string[] = [];
  const { text, segments } = await transcribe(model, sound(1.5), {
    language: "en",
    onSegment: ({ text }) => heard.push(text),
  });
  // The first window ends at 0.5 s, in the segment of the word 4; the second, of 0.8 s, ends in one time.
  expect(clips).toEqual([
    { first: 0, length: 0.8 * rate },
    { first: 0.5 * rate, length: 0.8 * rate },
    { first: 1.3 * rate, length: 0.2 * rate },
  ]);
  const rounded = segments.map(({ start, end, ids }) => [start.toFixed(2), end.toFixed(2), ids]);
  expect(rounded).toEqual([
    ["0.00", "0.30", [1, 2]],
    ["0.40", "0.50", [3]],
    ["0.60", "0.80", [4, 5]],
    ["0.80", "1.20", [6]],
    ["1.30", "1.50", [7]],
  ]);
  expect(text).toBe(" 1-2 3 4-5 6 7");
  expect(heard.join("")).toBe(text);
});

test("audio of one window has no timestamps unless they are requested, and the prompt has <|notimestamps|>", async () => {
  const { model, prompts } = scripted([[1, 2]]);
  const { segments } = await transcribe(model, sound(0.5), { language: "en" });
  expect(prompts).toEqual([[start, en, transcribing, none]]);
  expect(segments).toEqual([{ start: 0, end: 0.5, ids: [1, 2], text: " 1-2" }]);
  const timed = scripted([[at(0), 1, at(0.2)]]);
  const { segments: own } = await transcribe(timed.model, sound(0.5), { language: "en", timestamps: true });
  expect(timed.prompts).toEqual([[start, en, transcribing]]);
  expect(own.map(({ end }) => end.toFixed(2))).toEqual(["0.20"]);
});

test("words have timestamps, with the offset of their window", async () => {
  const { model } = scripted([
    [at(0), 1, 2, at(0.3), at(0.4), 3, at(0.5), at(0.6), 4],
    [at(0.1), 4, 5, at(0.3), at(0.3), 6, at(0.7)],
    [at(0), 7, at(0.2)],
  ]);
  const spaced = { decode: (ids: Iterable<number>) => [...ids].map((id) => ` ${id}`).join("") } as never;
  const { segments } = await transcribe({ ...model, tokenizer: spaced }, sound(1.5), {
    ...{ language: "en", words: true },
  });
  expect(segments.map(({ words }) => words!.map(({ text }) => text))).toEqual([
    ...[[" 1", " 2"], [" 3"], [" 4", " 5"], [" 6"], [" 7"]],
  ]);
  const windows = [0, 0, 0.5, 0.5, 1.3];
  segments.forEach(({ ids, words }, i) => {
    expect(words!.flatMap(({ ids }) => ids)).toEqual(ids);
    for (const { start, end } of words!) {
      expect(start).toBeGreaterThanOrEqual(windows[i]!);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThanOrEqual(1.5 + 0.02);
    }
  });
  const plain = scripted([[1]]);
  const { segments: without } = await transcribe(plain.model, sound(0.5), { language: "en" });
  expect(without[0]).not.toHaveProperty("words");
});

test("the rules of times are kept where the model's own logits break them", async () => {
  // It would begin with a word, and end a segment before it began.
  const { model } = scripted([[1, 1, at(0.4), 2, at(0.2), at(0.2)]]);
  const { segments } = await transcribe(model, sound(0.6), {
    language: "en",
    timestamps: true,
    maxTokens: 3,
  });
  const { start, end } = segments[0]!;
  expect(start).toBe(0);
  expect(end).toBeGreaterThan(start);
});

test("the language is detected in the first window, and translation is a task", async () => {
  const { model, prompts } = scripted([[1]]);
  const { language } = await transcribe(model, sound(0.5), { task: "translate" });
  expect(language).toBe("de");
  expect(prompts).toEqual([[start], [start, de, translating, none]]);
});

test("suppressed tokens are not generated; a model without languages uses the forced ids except <|notimestamps|>", async () => {
  const speech = {
    noTimestampsId: none,
    suppressed: [1],
    suppressedAtBegin: [2],
    forced: [en, transcribing, none],
  };
  const first = scripted([[1]], speech);
  const { segments } = await transcribe(first.model, sound(0.5), { maxTokens: 1 });
  expect(first.prompts).toEqual([[start, en, transcribing, none]]);
  expect(segments.flatMap(({ ids }) => ids)).not.toContain(1);
  const begun = scripted([[2, 2]], speech);
  const { segments: own } = await transcribe(begun.model, sound(0.5), { maxTokens: 2 });
  expect(own[0]!.ids.map((id) => id === 2)).toEqual([false, true]);
});

test("beam search uses the same processors, and a model without timestamps uses windows of fixed length", async () => {
  const speech = { suppressed: [], suppressedAtBegin: [], forced: [] };
  const { model, clips } = scripted([[1, 2], [3]], speech);
  const { text, segments } = await transcribe(model, sound(1), { maxTokens: 3 });
  expect(clips.map(({ first }) => first)).toEqual([0, 0.8 * rate]);
  expect([text, segments.length]).toEqual([" 1-2 3", 2]);
  const beams = scripted([[1]], { ...speech, suppressed: [1] });
  const found = await transcribe(beams.model, sound(0.5), { numBeams: 2, maxTokens: 1 });
  expect(found.segments.flatMap(({ ids }) => ids)).not.toContain(1);
});

test.each<[string, TranscribeOptions, RegExp]>([
  [
    "another rate",
    { sampleRate: 48000 },
    /`sampleRate` is 48000, expected 16000 Hz.*\nFix: let the platform decode and resample/,
  ],
  ["an unknown language", { language: "fr" }, /`language` is "fr", expected one of en, de/],
  ["a window of no tokens", { maxTokens: 0 }, /`maxTokens` is 0/],
  ["an unknown option", { lang: "en" } as never, /`lang` is "en".*\nFix: write `language`/],
])("%s is refused", async (_, options, message) => {
  await expect(transcribe(scripted([]).model, sound(0.5), options)).rejects.toThrow(message);
});

test("languages, tasks and timestamps that a model does not have are refused", async () => {
  const plain = scripted([], { suppressed: [], suppressedAtBegin: [], forced: [] }).model;
  await expect(transcribe(plain, sound(0.5), { timestamps: true })).rejects.toThrow(
    /`timestamps` is true, expected false, as the model has no tokens of times/,
  );
  await expect(transcribe(plain, sound(0.5), { task: "translate" })).rejects.toThrow(/does not translate/);
  await expect(transcribe(plain, sound(0.5), { language: "en" })).rejects.toThrow(/knows one language/);
  await expect(transcribe(plain, [0.5] as never)).rejects.toThrow(
    /`waveform` is \[0.5\], expected a Float32Array/,
  );
});

test("a signal aborts between windows", async () => {
  const { model } = scripted([[at(0), 1, at(0.2), at(0.2)]]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const run = transcribe(model, sound(1.5), {
    signal: controller.signal,
    language: "en",
    onSegment: () => controller.abort(reason),
  });
  await expect(run).rejects.toBe(reason);
});
