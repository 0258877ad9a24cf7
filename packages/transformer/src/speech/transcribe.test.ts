import { tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { whisperFeatures } from "../audio/whisper-features.js";
import type { FeatureExtractor } from "../audio/feature-extractor.js";
import type { SpeechModel } from "../models/speech-model.js";
import { speechToText } from "../models/speech-to-text.js";
import type { SpeechTokens } from "../models/speech-tokens.js";
import { transcribe, type TranscribeOptions } from "./transcribe.js";

// Ids 0 to 9 are text; 10: end, 11: start, 12: en, 13: de, 14: transcribe, 15: translate, 16: <|notimestamps|>, from 17 on: timestamps.
const [stop, start, en, de, transcribeId, translateId, noTimestampsId, firstTimestamp] = [
  10, 11, 12, 13, 14, 15, 16, 17,
];
const vocabSize = 80;
const rate = 16000;
const at = (seconds: number) => firstTimestamp + Math.round(seconds / 0.02);
const whisperTokens: SpeechTokens = {
  languages: { en, de },
  tasks: { transcribe: transcribeId, translate: translateId },
  noTimestampsId,
  suppressed: [],
  suppressedAtBegin: [],
  forced: [],
};

const layers = {
  ...{ embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, contextLength: 40 },
  placement: "pre",
} as const;
const network = speechToText({
  ...layers,
  ...{ vocabSize, startIds: [start], stopIds: [stop] },
  encoder: {
    ...layers,
    inputChannels: 4,
    convolutions: [{ channels: 8, kernelSize: 3, padding: 1, stride: 2, activation: "gelu" }],
  },
});

/** A model that generates the tokens of a script for each window, and records its clips and prompts. */
function scriptedModel(script: readonly (readonly number[])[], speech = whisperTokens) {
  const extractor = whisperFeatures({ chunkLength: 0.8, numMels: 4 });
  const clips: { first: number; length: number }[] = [];
  const prompts: number[][] = [];
  let [window, generated] = [-1, 0];
  const features: FeatureExtractor = {
    ...extractor,
    apply(waveforms, options) {
      const clip = waveforms as Float32Array;
      clips.push({ first: Math.round(clip[0]! * rate), length: clip.length });
      [window, generated] = [window + 1, 0];
      return extractor.apply(clip, options);
    },
  };
  const apply: SpeechModel["apply"] = (params, ids, options) => {
    const logits = network.apply(params, ids, options);
    const list = Array.isArray(ids) ? (ids as number[]) : [...(ids as Tensor).data];
    const isPrompt = list.length > 1 || list[0] === start;
    const detectsLanguage =
      isPrompt && list.length === 1 && speech.languages !== undefined && options?.source;
    if (isPrompt) prompts.push(list);
    const next = detectsLanguage ? de : (script[window]?.[generated++] ?? stop);
    const [B, T] = logits.shape as [number, number, number];
    return tensor(
      Float32Array.from({ length: B * T * vocabSize }, (_, i) => (i % vocabSize === next ? 20 : 0)),
      { shape: logits.shape },
    );
  };
  const model: SpeechModel = {
    ...{ config: network.config, params: network.init(1), encode: network.encode, apply },
    ...{ features, speech, leastFrames: network.leastFrames },
    tokenizer: { decode: (ids: Iterable<number>) => ` ${[...ids].join("-")}` } as never,
  };
  return { model, clips, prompts };
}

/** A waveform in which each sample is its time in seconds. */
const sound = (seconds: number) =>
  Float32Array.from({ length: Math.round(seconds * rate) }, (_, i) => i / rate);

test("a window begins where the last complete segment of the previous window ended", async () => {
  const { model, clips } = scriptedModel([
    [at(0), 1, 2, at(0.3), at(0.4), 3, at(0.5), at(0.6), 4],
    [at(0.1), 4, 5, at(0.3), at(0.3), 6, at(0.7)],
    [at(0), 7, at(0.2)],
  ]);
  const reported: string[] = [];
  const { text, segments } = await transcribe(model, sound(1.5), {
    language: "en",
    onSegment: ({ text }) => reported.push(text),
  });
  // The last complete segment of the first window ends at 0.5 s. The second window, of 0.8 s, ends with a single timestamp.
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
  expect(reported.join("")).toBe(text);
});

test("audio of one window has no timestamps unless they are requested, and the prompt has <|notimestamps|>", async () => {
  const { model, prompts } = scriptedModel([[1, 2]]);
  const { segments } = await transcribe(model, sound(0.5), { language: "en" });
  expect(prompts).toEqual([[start, en, transcribeId, noTimestampsId]]);
  expect(segments).toEqual([{ start: 0, end: 0.5, ids: [1, 2], text: " 1-2" }]);
  const timed = scriptedModel([[at(0), 1, at(0.2)]]);
  const { segments: timedSegments } = await transcribe(timed.model, sound(0.5), {
    language: "en",
    timestamps: true,
  });
  expect(timed.prompts).toEqual([[start, en, transcribeId]]);
  expect(timedSegments.map(({ end }) => end.toFixed(2))).toEqual(["0.20"]);
});

test("word timestamps include the offset of their window", async () => {
  const { model } = scriptedModel([
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
  const plain = scriptedModel([[1]]);
  const { segments: untimedSegments } = await transcribe(plain.model, sound(0.5), { language: "en" });
  expect(untimedSegments[0]).not.toHaveProperty("words");
});

test("the timestamp rules are enforced on the logits", async () => {
  // The script begins without a timestamp, and has a segment that ends before it begins.
  const { model } = scriptedModel([[1, 1, at(0.4), 2, at(0.2), at(0.2)]]);
  const { segments } = await transcribe(model, sound(0.6), {
    language: "en",
    timestamps: true,
    maxTokens: 3,
  });
  const { start, end } = segments[0]!;
  expect(start).toBe(0);
  expect(end).toBeGreaterThan(start);
});

test("the language is detected in the first window, and `translate` is in the prompt", async () => {
  const { model, prompts } = scriptedModel([[1]]);
  const { language } = await transcribe(model, sound(0.5), { task: "translate" });
  expect(language).toBe("de");
  expect(prompts).toEqual([[start], [start, de, translateId, noTimestampsId]]);
});

test("suppressed tokens are not generated; a model without languages uses the forced ids except <|notimestamps|>", async () => {
  const speech = {
    noTimestampsId,
    suppressed: [1],
    suppressedAtBegin: [2],
    forced: [en, transcribeId, noTimestampsId],
  };
  const first = scriptedModel([[1]], speech);
  const { segments } = await transcribe(first.model, sound(0.5), { maxTokens: 1 });
  expect(first.prompts).toEqual([[start, en, transcribeId, noTimestampsId]]);
  expect(segments.flatMap(({ ids }) => ids)).not.toContain(1);
  const begun = scriptedModel([[2, 2]], speech);
  const { segments: begunSegments } = await transcribe(begun.model, sound(0.5), { maxTokens: 2 });
  expect(begunSegments[0]!.ids.map((id) => id === 2)).toEqual([false, true]);
});

test("beam search uses the same processors, and a model without timestamps uses windows of fixed length", async () => {
  const speech = { suppressed: [], suppressedAtBegin: [], forced: [] };
  const { model, clips } = scriptedModel([[1, 2], [3]], speech);
  const { text, segments } = await transcribe(model, sound(1), { maxTokens: 3 });
  expect(clips.map(({ first }) => first)).toEqual([0, 0.8 * rate]);
  expect([text, segments.length]).toEqual([" 1-2 3", 2]);
  const beams = scriptedModel([[1]], { ...speech, suppressed: [1] });
  const transcription = await transcribe(beams.model, sound(0.5), { numBeams: 2, maxTokens: 1 });
  expect(transcription.segments.flatMap(({ ids }) => ids)).not.toContain(1);
});

test.each<[string, TranscribeOptions, RegExp]>([
  [
    "another sample rate",
    { sampleRate: 48000 },
    /`sampleRate` is 48000, expected 16000 Hz.*\nFix: let the platform decode and resample/,
  ],
  ["an unknown language", { language: "fr" }, /`language` is "fr", expected one of en, de/],
  ["0 tokens per window", { maxTokens: 0 }, /`maxTokens` is 0/],
  ["an unknown option", { lang: "en" } as never, /`lang` is "en".*\nFix: write `language`/],
])("%s is refused", async (_, options, message) => {
  await expect(transcribe(scriptedModel([]).model, sound(0.5), options)).rejects.toThrow(message);
});

test("languages, tasks and timestamps that a model does not have are refused", async () => {
  const plain = scriptedModel([], { suppressed: [], suppressedAtBegin: [], forced: [] }).model;
  await expect(transcribe(plain, sound(0.5), { timestamps: true })).rejects.toThrow(
    /`timestamps` is true, expected false, as the model has no timestamp tokens/,
  );
  await expect(transcribe(plain, sound(0.5), { task: "translate" })).rejects.toThrow(/does not translate/);
  await expect(transcribe(plain, sound(0.5), { language: "en" })).rejects.toThrow(/supports one language/);
  await expect(transcribe(plain, [0.5] as never)).rejects.toThrow(
    /`waveform` is \[0.5\], expected a Float32Array/,
  );
});

test("a signal aborts between windows", async () => {
  const { model } = scriptedModel([[at(0), 1, at(0.2), at(0.2)]]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const run = transcribe(model, sound(1.5), {
    signal: controller.signal,
    language: "en",
    onSegment: () => controller.abort(reason),
  });
  await expect(run).rejects.toBe(reason);
});
