import { checks, type Checks } from "@qkv/core";
import {
  add,
  cast,
  concat,
  js,
  log,
  matmul,
  max,
  maximum,
  mul,
  slice,
  sub,
  tensor,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { padOrTruncate, paddingMask, readCall, type FeatureExtractor } from "./feature-extractor.js";
import { frameWaveform } from "./frames.js";
import { melFilterBank } from "./mel-filter-bank.js";
import { powerSpectrum } from "./power-spectrum.js";
import { windowFunction } from "./window-function.js";
import { most } from "./limits.js";

/** Options of {@link whisperFeatures}, with the defaults of Whisper's first models. */
export type WhisperFeaturesOptions = {
  /** Mel bands: 80 (default), or 128 for `large-v3`. */
  numMels?: number;
  /** Unit: Hz. Default 16000. */
  sampleRate?: number;
  /** Frame length. Unit: samples. Default 400, 25 ms. */
  fftLength?: number;
  /** Distance between frames. Unit: samples. Default 160, 10 ms. */
  hopLength?: number;
  /** Input length of the model. Unit: seconds. Default 30. */
  chunkLength?: number;
};

const names = ["numMels", "sampleRate", "fftLength", "hopLength", "chunkLength"] as const;

/**
 * Whisper's features: log mel spectrograms, `log10` of the power in each band, clamped to 8 below the maximum of the clip, then
 * shifted and scaled to about −1 to 1. Computed in float64 on the plain device.
 *
 * @param options - See {@link WhisperFeaturesOptions}.
 * @returns An extractor: `apply` gives features `[B, numMels, frames]` and the attention mask `[B, frames]`. The default
 *   padding is `max_length`: 30 s, 3000 frames.
 * @throws {ArgumentError} If an option is out of range or unknown.
 * @see "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), arXiv:2212.04356, section 2.2
 *
 * @example
 * ```ts
 * import { whisperFeatures } from "@qkv/transformer/audio";
 *
 * const second = Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i / 8));
 * whisperFeatures().apply(second, { padding: "longest" }).features.shape; // => [1, 80, 100]
 * ```
 */
export function whisperFeatures(options?: WhisperFeaturesOptions): FeatureExtractor {
  const check: Checks = checks("whisperFeatures");
  const {
    numMels = 80,
    sampleRate = 16000,
    fftLength = 400,
    hopLength = 160,
    chunkLength = 30,
  } = check.options(options, names);
  check.whole({ sampleRate }, { min: 1, max: most.sampleRate, unit: "Hz" });
  check.whole({ hopLength }, { min: 1, unit: "samples" });
  check.whole({ numMels }, { min: 1, max: most.numMels, unit: "filters" });
  check.whole({ fftLength }, { min: 2, max: most.fftLength, unit: "samples" });
  check.finite({ chunkLength }, { above: 0, max: most.seconds, unit: "seconds" });
  const maxSamples = Math.floor(chunkLength * sampleRate);
  const bank = melFilterBank({
    numBins: Math.floor(fftLength / 2) + 1,
    numMels,
    sampleRate,
    dtype: "float64",
  });
  const window = windowFunction("hann", fftLength, { dtype: "float64" });
  const framing = { frameLength: fftLength, hopLength, center: true, padding: "reflect" } as const;

  /** `[1, numMels, frames]` of a waveform. */
  const logMel = (waveform: Float64Array): Tensor =>
    js().scope(() => {
      const frames = frameWaveform("whisperFeatures", tensor(waveform), framing); // [1, F + 1, fftLength]
      const power = powerSpectrum(mul(slice(frames, 1, 0, -1), window), fftLength);
      const logs = mul(log(maximum(matmul(power, bank), 1e-10)), Math.LOG10E); // [1, F, numMels]
      const clamped = maximum(logs, sub(max(logs), 8));
      return cast(transpose(mul(add(clamped, 4), 0.25)), "float32");
    });

  return {
    name: "whisperFeatures",
    options: { numMels, sampleRate, fftLength, hopLength, chunkLength },
    sampleRate,
    inputName: "input_features",
    maxSamples,
    apply(input, options) {
      const { waveforms, padding, device } = readCall(
        "whisperFeatures",
        sampleRate,
        input,
        options,
        "max_length",
      );
      const longest = Math.max(...waveforms.map(({ length }) => length));
      const samples = padding === "max_length" ? maxSamples : longest;
      const clips = waveforms.map((waveform) => logMel(padOrTruncate(waveform, samples)));
      const features = concat(clips, 0);
      const frames = Math.floor(samples / hopLength);
      const lengths = waveforms.map(({ length }) => Math.ceil(Math.min(length, samples) / hopLength));
      return { features: features.to(device), attentionMask: paddingMask(lengths, frames, device) };
    },
  };
}
