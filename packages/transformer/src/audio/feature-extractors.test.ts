import { mean, slice, sub, variance } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { astFeatures } from "./ast-features.js";
import { readFeatureExtractor } from "./read-feature-extractor.js";
import { seamlessFeatures } from "./seamless-features.js";
import { waveformFeatures } from "./waveform-features.js";
import { whisperFeatures } from "./whisper-features.js";

const noise = (length: number, seed: number, loud = 0.1) =>
  Float32Array.from({ length }, (_, i) => loud * Math.sin(i * i * 0.013 + seed));
const near = { rtol: 0, atol: 1e-5 };

test("golden: silence is −1.5 everywhere for Whisper, the logarithm of the least power", () => {
  const { features } = whisperFeatures().apply(new Float32Array(800), { padding: "longest" });
  expect(features.shape).toEqual([1, 80, 5]);
  expect(features.data.every((x) => x === -1.5)).toBe(true); // (log10(1e-10) + 4) / 4
});

test("property: sound that is ten times louder is 0.5 higher in Whisper's features", () => {
  const extractor = whisperFeatures();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (seed) => {
      const [quiet, loud] = [0.05, 0.5].map(
        (loud) => extractor.apply(noise(1600, seed, loud), { padding: "longest" }).features,
      );
      expect(loud!).toBeAllclose(sub(quiet!, -0.5), near);
    }),
    { numRuns: 10 },
  );
});

test("Whisper's floor is 8 below the loudest of the clip, in frames of silence too", () => {
  const clip = new Float32Array(8000);
  clip.set(noise(3000, 1));
  const { data } = whisperFeatures().apply(clip, { padding: "longest" }).features;
  expect(Math.max(...data) - Math.min(...data)).toBeCloseTo(2, 5); // 8 of log10, a quarter of it
});

test("Whisper's clips are filled with zeros or cut to the length that the model reads, and the mask says where sound is", () => {
  const extractor = whisperFeatures({ chunkLength: 0.1 });
  const { features, attentionMask } = extractor.apply([noise(700, 1), noise(4000, 2)]);
  expect([features.shape, extractor.maxSamples]).toEqual([[2, 80, 10], 1600]);
  expect(attentionMask!.toNested()).toEqual([
    [1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  ]);
  const cut = extractor.apply(noise(4000, 2).subarray(0, 1600));
  expect(slice(features, 0, 1, 2)).toBeAllclose(cut.features, near);
});

test("samples are normalized over a waveform without its padding, or left as they are", () => {
  const waveforms = [noise(50, 1), noise(30, 2)];
  const { features, attentionMask } = waveformFeatures().apply(waveforms);
  const second = slice(slice(features, 0, 1, 2), 1, 0, 30);
  expect(mean(second).data[0]).toBeCloseTo(0, 6);
  expect(variance(second, { correction: 0 }).data[0]).toBeCloseTo(1, 4);
  expect([...features.data.subarray(80)]).toEqual(new Array(20).fill(0));
  expect([...attentionMask!.data].filter((one) => one === 1).length).toBe(80);
  const plain = waveformFeatures({ normalize: false }).apply(waveforms[0]!);
  expect([...plain.features.data]).toEqual([...waveforms[0]!]);
});

test("rows of SeamlessM4T hold two frames, and a row of the mask counts when its second frame is there", () => {
  // 400 + 160 · 4 samples are 5 frames; 400 are one.
  const { features, attentionMask } = seamlessFeatures().apply([noise(1040, 1), noise(560, 2)]);
  expect(features.shape).toEqual([2, 3, 160]);
  expect(attentionMask!.toNested()).toEqual([
    [1, 1, 0],
    [1, 0, 0],
  ]);
});

test("AST's frames after the end of the sound are zeros before they are normalized", () => {
  const { features } = astFeatures({ maxFrames: 8, numMels: 4, mean: 3, std: 2 }).apply(noise(560, 1));
  expect(features.shape).toEqual([1, 8, 4]);
  expect([...features.data.subarray(8)]).toEqual(new Array(24).fill(-0.75));
});

test("a configuration makes the extractor of its type, with its numbers", () => {
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

test("what no extractor computes is refused, with the fix", () => {
  expect(() => readFeatureExtractor({ feature_extractor_type: "ClapFeatureExtractor" })).toThrow(
    /^readFeatureExtractor: `config` is .*ClapFeatureExtractor.*expected `feature_extractor_type` to be one of Whisper/,
  );
  expect(() =>
    readFeatureExtractor({ feature_extractor_type: "WhisperFeatureExtractor", padding_side: "left" }),
  ).toThrow(/`padding_side` \\?"left/);
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
