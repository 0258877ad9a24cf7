import { checks, type Checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import { paddingMask, padOrTruncate, readCall, type FeatureExtractor } from "./feature-extractor.js";
import { most } from "./limits.js";

/** Options of {@link waveformFeatures}. */
export type WaveformFeaturesOptions = {
  /** Unit: Hz. Default 16000. */
  sampleRate?: number;
  /** True (default): each waveform is standardized to mean 0 and variance 1. False: samples are unchanged, for Moonshine. */
  normalize?: boolean;
};

/** Added to the variance, which is 0 for silence. */
const epsilon = 1e-7;

/**
 * The samples themselves, for models whose convolutions read a waveform: wav2vec 2.0, HuBERT, WavLM, Moonshine.
 *
 * @param options - `sampleRate`: default 16000 Hz. `normalize`: default true.
 * @returns An extractor: `apply` gives features `[B, samples]`, shorter waveforms padded with zeros, and the mask of samples.
 * @throws {ArgumentError} If an option is unknown or of another type.
 * @see "wav2vec 2.0" (2020), arXiv:2006.11477
 *
 * @example
 * ```ts
 * import { waveformFeatures } from "@qkv/transformer/audio";
 *
 * const { features, attentionMask } = waveformFeatures({ normalize: false }).apply([
 *   Float32Array.of(0.5, -0.5, 0.25),
 *   Float32Array.of(1),
 * ]);
 * features.toNested(); // => [[0.5, -0.5, 0.25], [1, 0, 0]]
 * attentionMask?.toNested(); // => [[1, 1, 1], [1, 0, 0]]
 * ```
 */
export function waveformFeatures(options?: WaveformFeaturesOptions): FeatureExtractor {
  const check: Checks = checks("waveformFeatures");
  const { sampleRate = 16000, normalize = true } = check.options(options, ["sampleRate", "normalize"]);
  check.whole({ sampleRate }, { min: 1, max: most.sampleRate, unit: "Hz" });
  check.type({ normalize }, "boolean");
  return {
    name: "waveformFeatures",
    options: { sampleRate, normalize },
    sampleRate,
    inputName: "input_values",
    apply(input, options) {
      const { waveforms, padding, device } = readCall("waveformFeatures", sampleRate, input, options);
      check.each(
        { padding },
        (value) => value === "longest",
        '"longest": the model has no length of its own',
      );
      const lengths = waveforms.map(({ length }) => length);
      const longest = Math.max(...lengths);
      const rows = waveforms.map((waveform) => {
        const row = padOrTruncate(waveform, longest);
        if (normalize) standardize(row.subarray(0, waveform.length));
        return row;
      });
      const samples = new Float32Array(rows.length * longest);
      rows.forEach((row, b) => samples.set(row, b * longest));
      return {
        features: tensor(samples, { shape: [rows.length, longest], device }),
        attentionMask: paddingMask(lengths, longest, device),
      };
    },
  };
}

/** Standardizes samples to mean 0 and variance 1, in place. */
function standardize(row: Float64Array): void {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  const scale = 1 / Math.sqrt(variance + epsilon);
  row.forEach((x, i) => (row[i] = (x - mean) * scale));
}
