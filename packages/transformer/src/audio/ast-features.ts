import { checks, type Checks } from "@qkv/core";
import { cast, concat, div, expandDims, pad, slice, sub } from "@qkv/tensor";
import { padOrTruncate, readCall, type FeatureExtractor } from "./feature-extractor.js";
import { kaldiFilterBank } from "./kaldi-filter-bank.js";
import { most } from "./limits.js";

/** Options of {@link astFeatures}, with the defaults of models trained on AudioSet. */
export type AstFeaturesOptions = {
  /** Mel bands of a frame. Default 128. */
  numMels?: number;
  /** Unit: Hz. Default 16000. */
  sampleRate?: number;
  /** Number of frames: shorter clips are padded with zeros, longer ones are cut. Default 1024. */
  maxFrames?: number;
  /** True (default): `(x − mean) / (2 · std)`. */
  normalize?: boolean;
  /** Mean of the training set. Default −4.2677393. */
  mean?: number;
  /** Standard deviation of the training set. Default 4.5689974. */
  std?: number;
};

const names = ["numMels", "sampleRate", "maxFrames", "normalize", "mean", "std"] as const;

/**
 * Features of the Audio Spectrogram Transformer, for audio classification: Kaldi's log mel filter bank with a Hann window, as an
 * image of fixed length. Computed in float64 on the plain device.
 *
 * @param options - See {@link AstFeaturesOptions}.
 * @returns An extractor: `apply` gives features `[B, maxFrames, numMels]`. There is no attention mask: the model attends to the padding.
 * @throws {ArgumentError} If an option is out of range or unknown.
 * @see "AST: Audio Spectrogram Transformer" (2021), arXiv:2104.01778
 *
 * @example
 * ```ts
 * import { astFeatures } from "@qkv/transformer/audio";
 *
 * const second = Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i / 8));
 * astFeatures().apply(second).features.shape; // => [1, 1024, 128]
 * ```
 */
export function astFeatures(options?: AstFeaturesOptions): FeatureExtractor {
  const check: Checks = checks("astFeatures");
  const {
    numMels = 128,
    sampleRate = 16000,
    maxFrames = 1024,
    normalize = true,
    mean = -4.2677393,
    std = 4.5689974,
  } = check.options(options, names);
  check.whole({ numMels }, { min: 1, max: most.numMels, unit: "filters" });
  check.whole({ sampleRate }, { min: 1, max: most.sampleRate, unit: "Hz" });
  check.whole({ maxFrames }, { min: 1, max: most.frames, unit: "frames" });
  check.type({ normalize }, "boolean");
  check.finite({ mean });
  check.finite({ std }, { above: 0 });
  return {
    name: "astFeatures",
    options: { numMels, sampleRate, maxFrames, normalize, mean, std },
    sampleRate,
    inputName: "input_values",
    apply(input, options) {
      const { waveforms, device } = readCall("astFeatures", sampleRate, input, options, "max_length");
      const clips = waveforms.map((waveform) => {
        const samples = padOrTruncate(waveform, waveform.length);
        const bank = kaldiFilterBank("astFeatures", samples, { numMels, sampleRate, window: "hann" });
        const frames = Math.min(bank.shape[0]!, maxFrames);
        const padded = pad(slice(bank, 0, 0, frames), 0, 0, maxFrames - frames);
        return expandDims(normalize ? div(sub(padded, mean), 2 * std) : padded, 0);
      });
      return { features: cast(concat(clips, 0), "float32").to(device) };
    },
  };
}
