import { bertTokenizer } from "@qkv/tokenizer";
import { expect, test } from "vitest";
import { whisperFeatures } from "../audio/whisper-features.js";
import { decoder } from "../models/decoder.js";
import type { SpeechModel } from "../models/speech-model.js";
import { speechToText } from "../models/speech-to-text.js";
import { transcribe } from "../speech/transcribe.js";
import { pipeline } from "./pipeline.js";

const words = ["a", "cat", "saw", "the", "moon", "__en__", "__de__", "__transcribe__", "__notimestamps__"];
const times = Array.from({ length: 41 }, (_, i) => `__${i}__`);
const tokenizer = bertTokenizer(
  ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words, ...times].join("\n"),
);
const layers = {
  ...{ embedDim: 16, hiddenDim: 24, numLayers: 1, numHeads: 2, contextLength: 40 },
  placement: "pre",
} as const;
const functions = speechToText({
  ...layers,
  ...{ vocabSize: 55, startIds: [2], stopIds: [3] },
  encoder: {
    ...layers,
    inputChannels: 8,
    convolutions: [{ channels: 16, kernelSize: 3, padding: 1, stride: 2, activation: "gelu" }],
  },
});
const model: SpeechModel = {
  ...{
    config: functions.config,
    params: functions.init(3),
    apply: functions.apply,
    encode: functions.encode,
    tokenizer,
  },
  features: whisperFeatures({ chunkLength: 0.8, numMels: 8 }),
  leastFrames: functions.leastFrames,
  speech: {
    languages: { en: 10, de: 11 },
    tasks: { transcribe: 12 },
    noTimestampsId: 13,
    ...{ suppressed: [0, 1, 2, 4, 10, 11, 12], suppressedAtBegin: [3], forced: [] },
  },
};
const sound = (seconds: number) =>
  Float32Array.from({ length: 16000 * seconds }, (_, i) => Math.sin(i / 9) / 4);

test("one sound gives its text, a list of sounds a list of results, and `return_timestamps` adds chunks", async () => {
  const recognizer = await pipeline("automatic-speech-recognition", model);
  const { text } = await transcribe(model, sound(0.5), { language: "de", maxTokens: 6 });
  expect(text.length).toBeGreaterThan(0);
  const options = { language: "german", max_new_tokens: 6 };
  expect(await recognizer(sound(0.5), options)).toEqual({ text });
  const withRate = { array: sound(0.5), sampling_rate: 16000 };
  expect(await recognizer([withRate, sound(0.5)], options)).toEqual([{ text }, { text }]);
  const timed = await transcribe(model, sound(1.5), {
    language: "de",
    timestamps: true,
    maxTokens: 8,
    numBeams: 2,
  });
  const { chunks } = await recognizer(sound(1.5), {
    ...{ language: "de", return_timestamps: true, max_new_tokens: 8, num_beams: 2 },
  });
  expect(chunks).toEqual(timed.segments.map(({ start, end, text }) => ({ timestamp: [start, end], text })));
  const { segments } = await transcribe(model, sound(1.5), { language: "de", words: true, maxTokens: 8 });
  const wordOptions = { language: "de", return_timestamps: "word", max_new_tokens: 8 } as const;
  expect((await recognizer(sound(1.5), wordOptions)).chunks).toEqual(
    segments.flatMap(({ words }) =>
      words!.map(({ start, end, text }) => ({ timestamp: [start, end], text })),
    ),
  );
  expect([recognizer.task, recognizer.model]).toEqual(["automatic-speech-recognition", model]);
});

test("audio of another sampling rate, file names and unknown options are refused, with the fix", async () => {
  const recognizer = await pipeline("automatic-speech-recognition", model);
  await expect(recognizer({ array: sound(0.5), sampling_rate: 44100 })).rejects.toThrow(
    /`sampleRate` is 44100, expected 16000 Hz.*\nFix: let the platform decode and resample/,
  );
  await expect(recognizer("speech.wav" as never)).rejects.toThrow(
    /`audio` is "speech.wav", expected a Float32Array at 16 kHz.*\nFix: let the platform decode files/,
  );
  await expect(recognizer(sound(0.5), { return_timestamps: "char" as never })).rejects.toThrow(
    /`return_timestamps` is "char", expected true, false or "word"/,
  );
  await expect(recognizer(sound(0.5), { chunk_length_s: 30 } as never)).rejects.toThrow(
    /`chunk_length_s` is 30.*\nFix: leave it out: sound of any length/,
  );
});

test("models of another kind, and other tasks of a speech model, are refused", async () => {
  const { config, init, apply } = decoder({
    ...{ vocabSize: 55, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
    ...{ contextLength: 16, normEps: 1e-5, stopIds: [] },
  });
  const text = { config, params: init(1), tokenizer, apply };
  await expect(pipeline("automatic-speech-recognition", text)).rejects.toThrow(
    /`model` is "a model of texts", expected a speech model/,
  );
  await expect(pipeline("text-generation", model)).rejects.toThrow(
    /`model` is "a speech model".*\nFix: write "automatic-speech-recognition"/,
  );
  await expect(pipeline("automatic-speech-recognition", { ...model, tokenizer: undefined })).rejects.toThrow(
    /a model without a tokenizer/,
  );
});
