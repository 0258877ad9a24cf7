import type { FeatureExtractor } from "./feature-extractor.js";

/** Option names by field of the configuration. */
type Fields = Readonly<Record<string, string>>;

/** The name of an extractor, and the fields of its options. */
type KnownExtractor = { readonly name: string; readonly fields: Fields };

/** Extractors by their class of Hugging Face. */
export const extractors: Readonly<Record<string, KnownExtractor>> = {
  WhisperFeatureExtractor: {
    name: "whisperFeatures",
    fields: {
      feature_size: "numMels",
      sampling_rate: "sampleRate",
      n_fft: "fftLength",
      hop_length: "hopLength",
      chunk_length: "chunkLength",
    },
  },
  Wav2Vec2FeatureExtractor: {
    name: "waveformFeatures",
    fields: { sampling_rate: "sampleRate", do_normalize: "normalize" },
  },
  SeamlessM4TFeatureExtractor: {
    name: "seamlessFeatures",
    fields: { num_mel_bins: "numMels", sampling_rate: "sampleRate", stride: "stride" },
  },
  ASTFeatureExtractor: {
    name: "astFeatures",
    fields: {
      num_mel_bins: "numMels",
      sampling_rate: "sampleRate",
      max_length: "maxFrames",
      do_normalize: "normalize",
      mean: "mean",
      std: "std",
    },
  },
};

/** Fields that affect the result, and their only supported values. */
export const fixedFields: Readonly<Record<string, unknown>> = {
  padding_side: "right",
  padding_value: 0,
  dither: 0,
};

/** The fields of a `preprocessor_config.json` for an extractor; undefined for one that is not of this package. */
export function featureExtractorFields({
  name,
  options,
}: Pick<FeatureExtractor, "name" | "options">): Record<string, unknown> | undefined {
  const known = Object.entries(extractors).find(([, extractor]) => extractor.name === name);
  if (!known || !options) return undefined;
  const [type, { fields }] = known;
  return {
    feature_extractor_type: type,
    ...Object.fromEntries(Object.entries(fields).map(([field, option]) => [field, options[option]])),
    ...fixedFields,
  };
}
