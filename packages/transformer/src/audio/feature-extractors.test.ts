import { mean, slice, sub, variance } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { astFeatures } from "./ast-features.js";
import { readFeatureExtractor } from "./read-feature-extractor.js";
import { seamlessFeatures } from "./seamless-features.js";
import { waveformFeatures } from "./waveform-features.js";
import { whisperFeatures } from "./whisper-features.js";

const noise = (length: number, seed: number, amplitude = 0.1) =>
  Float32Array.from({ length }, (_, i) => amplitude * Math.sin(i * i * 0.013 + seed));
const tolerance = { rtol: 0, atol: 1e-5 };

test("golden: Whisper's features of silence are −1.5, from the floor of the power, 1e-10", () => {
  const { features } = whisperFeatures().apply(new Float32Array(800), { padding: "longest" });
  expect(features.shape).toEqual([1, 80, 5]);
  expect(features.data.every((x) => x === -1.5)).toBe(true); // (log10(1e-10) + 4) / 4
});

test("property: ten times the amplitude adds 0.5 to Whisper's features", () => {
  const extractor = whisperFeatures();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (seed) => {
      const [quiet, loud] = [0.05, 0.5].map(
        (amplitude) => extractor.apply(noise(1600, seed, amplitude), { padding: "longest" }).features,
      );
      expect(loud!).toBeAllclose(sub(quiet!, -0.5), tolerance);
    }),
    { numRuns: 10 },
  );
});

test("Whisper's log10 power is clamped to 8 below the maximum of the clip", () => {
  const clip = new Float32Array(8000);
  clip.set(noise(3000, 1));
  const { data } = whisperFeatures().apply(clip, { padding: "longest" }).features;
  expect(Math.max(...data) - Math.min(...data)).toBeCloseTo(2, 5); // 8 divided by 4
});

test("Whisper's clips are padded with zeros or truncated to the input length, and the mask is 1 for audio", () => {
  const extractor = whisperFeatures({ chunkLength: 0.1 });
  const { features, attentionMask } = extractor.apply([noise(700, 1), noise(4000, 2)]);
  expect([features.shape, extractor.maxSamples]).toEqual([[2, 80, 10], 1600]);
  expect(attentionMask!.toNested()).toEqual([
    [1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  ]);
  const cut = extractor.apply(noise(4000, 2).subarray(0, 1600));
  expect(slice(features, 0, 1, 2)).toBeAllclose(cut.features, tolerance);
});

test("waveformFeatures standardizes each waveform without its padding, unless `normalize` is false", () => {
  const waveforms = [noise(50, 1), noise(30, 2)];
  const { features, attentionMask } = waveformFeatures().apply(waveforms);
  const second = slice(slice(features, 0, 1, 2), 1, 0, 30);
  expect(mean(second).data[0]).toBeCloseTo(0, 6);
  expect(variance(second, { correction: 0 }).data[0]).toBeCloseTo(1, 4);
  expect([...features.data.subarray(80)]).toEqual(new Array(20).fill(0));
  expect([...attentionMask!.data].filter((value) => value === 1).length).toBe(80);
  const plain = waveformFeatures({ normalize: false }).apply(waveforms[0]!);
  expect([...plain.features.data]).toEqual([...waveforms[0]!]);
});

test("a row of SeamlessM4T's features has two frames, and its mask is 1 only if both are audio", () => {
  // 400 + 160 · 4 samples are 5 frames; 400 are one.
  const { features, attentionMask } = seamlessFeatures().apply([noise(1040, 1), noise(560, 2)]);
  expect(features.shape).toEqual([2, 3, 160]);
  expect(attentionMask!.toNested()).toEqual([
    [1, 1, 0],
    [1, 0, 0],
  ]);
});

test("AST's features are padded with zeros before normalization", () => {
  const { features } = astFeatures({ maxFrames: 8, numMels: 4, mean: 3, std: 2 }).apply(noise(560, 1));
  expect(features.shape).toEqual([1, 8, 4]);
  expect([...features.data.subarray(8)]).toEqual(new Array(24).fill(-0.75));
});

test("readFeatureExtractor returns the extractor of feature_extractor_type with the fields of the file", () => {
  const whisper = readFeatureExtractor({
    feature_extractor_type: "WhisperFeatureExtractor",
    chunk_length: 1,
    feature_size: 16,
    mel_filters: [[0]],
    processor_class: "WhisperProcessor",
  });
  expect(whisper.apply(noise(100, 1)).features.shape).toEqual([1, 16, 100]);
  const moonshine = readFeatureExtractor({
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    do_normalize: false,
  });
  expect([moonshine.name, moonshine.inputName]).toEqual(["waveformFeatures", "input_values"]);
});

test.each<[object, RegExp]>([
  [
    { feature_size: 1e7 },
    /`numMels` is 10000000, expected an integer number of filters, 1 or more and at most 1024/,
  ],
  [
    { n_fft: 1e7 },
    /`fftLength` is 10000000, expected an integer number of samples, 2 or more and at most 65536/,
  ],
  [
    { sampling_rate: 1e9 },
    /`sampleRate` is 1000000000, expected an integer number of Hz, 1 or more and at most 1048576/,
  ],
  [{ chunk_length: 1e6 }, /`chunkLength` is 1000000, expected a finite number of seconds/],
])("a file of sizes that no memory holds is refused: %o", (fields, message) => {
  const file = { feature_extractor_type: "WhisperFeatureExtractor", ...fields };
  expect(() => readFeatureExtractor(file)).toThrow(message);
});

test("unsupported types, fields, sample rates and waveforms are refused, with the fix", () => {
  expect(() => readFeatureExtractor({ feature_extractor_type: "ClapFeatureExtractor" })).toThrow(
    /^readFeatureExtractor: `preprocessor_config\.json: feature_extractor_type` is "ClapFeatureExtractor", expected WhisperFeatureExtractor, .*\.\nFix: qkv does not implement `feature_extractor_type: "ClapFeatureExtractor"`\. Choose a model/,
  );
  expect(() =>
    readFeatureExtractor({ feature_extractor_type: "WhisperFeatureExtractor", padding_side: 1 }),
  ).toThrow(/padding_side` is 1, expected "right"\.\nFix: correct the field, or download/);
  expect(() =>
    readFeatureExtractor({ feature_extractor_type: "WhisperFeatureExtractor", preemphasis: 0.97 }),
  ).toThrow(
    /preemphasis` is 0\.97, expected no such field\.\nFix: qkv does not know the field `preemphasis`\./,
  );
  expect(() => readFeatureExtractor(Promise.resolve({}))).toThrow(
    /`config` is a promise \(`await` it\), expected the content of a preprocessor_config\.json\./,
  );
  expect(() => readFeatureExtractor("{}")).toThrow(
    /`config` is "\{\}", expected the content of a preprocessor_config\.json\.\nFix: give the parsed/,
  );
  expect(() =>
    readFeatureExtractor({ feature_extractor_type: "WhisperFeatureExtractor", padding_side: "left" }),
  ).toThrow(
    /padding_side` is "left", expected "right"\.\nFix: qkv does not implement `padding_side: "left"`\./,
  );
  expect(() =>
    readFeatureExtractor({ feature_extractor_type: "WhisperFeatureExtractor", feature_size: "80" }),
  ).toThrow(/`numMels` is "80"/);
  expect(() => whisperFeatures().apply(noise(100, 1), { sampleRate: 44100 })).toThrow(
    /`sampleRate` is 44100, expected 16000 Hz.*\nFix: let the platform decode and resample: .*AudioContext\(\{ sampleRate: 16000 \}\)/,
  );
  expect(() => whisperFeatures().apply([0.5] as never)).toThrow(/`waveforms` is 0.5, expected waveforms/);
  expect(() => whisperFeatures().apply([])).toThrow(/`waveforms` is \[\]/);
  expect(() => waveformFeatures().apply(noise(9, 1), { padding: "max_length" })).toThrow(/`padding` is/);
});
