import { checks, type Checks } from "@qkv/core";
import { add, cast, concat, div, mean, pad, reshape, slice, sqrt, sub, variance } from "@qkv/tensor";
import { paddingMask, padOrTruncate, readCall, type FeatureExtractor } from "./feature-extractor.js";
import { kaldiFilterBank } from "./kaldi-filter-bank.js";
import { most } from "./limits.js";

/** Options of {@link seamlessFeatures}. */
export type SeamlessFeaturesOptions = {
  /** Mel bands of a frame. Default 80. */
  numMels?: number;
  /** Unit: Hz. Default 16000. */
  sampleRate?: number;
  /** Number of consecutive frames that are concatenated to one row. Default 2. */
  stride?: number;
};

/** Scale of samples: Kaldi expects 16-bit integers. */
const fullScale = 2 ** 15;

/**
 * Features of SeamlessM4T and wav2vec2-BERT: Kaldi's log mel filter bank with its `povey` window, each band normalized over the
 * clip to mean 0 and variance 1, and `stride` frames concatenated. Computed in float64 on the plain device.
 *
 * @param options - See {@link SeamlessFeaturesOptions}.
 * @returns An extractor: `apply` gives features `[B, frames / stride, numMels · stride]` and the mask of their rows.
 * @throws {ArgumentError} If an option is out of range or unknown.
 * @see "Seamless" (2023), arXiv:2312.05187
 *
 * @example
 * ```ts
 * import { seamlessFeatures } from "@qkv/transformer/audio";
 *
 * const second = Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i / 8));
 * seamlessFeatures().apply(second).features.shape; // => [1, 49, 160]
 * ```
 */
export function seamlessFeatures(options?: SeamlessFeaturesOptions): FeatureExtractor {
  const check: Checks = checks("seamlessFeatures");
  const {
    numMels = 80,
    sampleRate = 16000,
    stride = 2,
  } = check.options(options, ["numMels", "sampleRate", "stride"]);
  check.whole({ numMels }, { min: 1, max: most.numMels, unit: "filters" });
  check.whole({ sampleRate }, { min: 1, max: most.sampleRate, unit: "Hz" });
  check.whole({ stride }, { min: 1, max: most.frames, unit: "frames" });
  return {
    name: "seamlessFeatures",
    options: { numMels, sampleRate, stride },
    sampleRate,
    inputName: "input_features",
    apply(input, options) {
      const { waveforms, padding, device } = readCall("seamlessFeatures", sampleRate, input, options);
      check.each(
        { padding },
        (value) => value === "longest",
        '"longest": the model has no length of its own',
      );
      const clips = waveforms.map((waveform) => {
        const samples = padOrTruncate(waveform, waveform.length).map((x) => x * fullScale);
        const bank = kaldiFilterBank("seamlessFeatures", samples, { numMels, sampleRate, window: "povey" });
        const over = { axis: 0, keepDims: true };
        return div(sub(bank, mean(bank, over)), sqrt(add(variance(bank, over), 1e-7))); // [F, numMels]
      });
      const lengths = clips.map(({ shape }) => shape[0]!);
      // As in transformers: frames are padded to a multiple of 2 for every stride, and an incomplete last row is cut.
      const padded = 2 * Math.ceil(Math.max(...lengths) / 2);
      const rows = Math.floor(padded / stride);
      const features = clips.map((clip) => {
        const paddedClip = pad(clip, 0, 0, padded - clip.shape[0]!);
        return reshape(slice(paddedClip, 0, 0, rows * stride), [1, rows, numMels * stride]);
      });
      return {
        features: cast(concat(features, 0), "float32").to(device),
        attentionMask: paddingMask(
          lengths.map((length) => Math.floor((length + stride - 2) / stride)),
          rows,
          device,
        ),
      };
    },
  };
}
