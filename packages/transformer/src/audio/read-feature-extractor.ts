import { checks, FormatError } from "@qkv/core";
import { configFields } from "../architectures/config-fields.js";
import { astFeatures } from "./ast-features.js";
import { extractors, fixedFields } from "./feature-extractor-fields.js";
import type { FeatureExtractor } from "./feature-extractor.js";
import { seamlessFeatures } from "./seamless-features.js";
import { waveformFeatures } from "./waveform-features.js";
import { whisperFeatures } from "./whisper-features.js";

/** Constructors by class name in Hugging Face transformers. Their options are the fields of the file under the names of this package. */
const constructors: Readonly<Record<string, (options: never) => FeatureExtractor>> = {
  WhisperFeatureExtractor: whisperFeatures,
  Wav2Vec2FeatureExtractor: waveformFeatures,
  SeamlessM4TFeatureExtractor: seamlessFeatures,
  ASTFeatureExtractor: astFeatures,
};

const fn = "readFeatureExtractor";

/** Fields that follow from others or do not affect the features. */
const ignored: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "processor_class",
  "feature_size",
  "mel_filters",
  "n_samples",
  "nb_max_frames",
  "return_attention_mask",
  "language_code",
  "auto_map",
]);

/**
 * The feature extractor that a `preprocessor_config.json` describes: of Whisper, wav2vec 2.0 (Moonshine, HuBERT, WavLM), SeamlessM4T
 * or the Audio Spectrogram Transformer.
 *
 * @param config - The parsed file. Absent fields have the defaults of the class in transformers.
 * @returns The extractor of its `feature_extractor_type`.
 * @throws {FormatError} If the type or a field is unknown, or a field has an unsupported value.
 *
 * @example
 * ```ts
 * import { readFeatureExtractor } from "@qkv/transformer/audio";
 *
 * const extractor = readFeatureExtractor({ feature_extractor_type: "WhisperFeatureExtractor", feature_size: 128 });
 * extractor.apply(new Float32Array(16000)).features.shape; // => [1, 128, 3000]
 * ```
 */
export function readFeatureExtractor(config: unknown): FeatureExtractor {
  if (typeof config !== "object" || config === null || Array.isArray(config) || "then" in config) {
    const fix = "give the parsed `preprocessor_config.json` of a model for sound.";
    return checks(fn, { fix }, FormatError).refuse({
      argument: "config",
      received: config,
      expected: "the content of a preprocessor_config.json",
    });
  }
  const values = config as Readonly<Record<string, unknown>>;
  const fields = configFields(config, { fn, name: "preprocessor_config.json" });
  const type = fields.text("feature_extractor_type");
  if (!Object.hasOwn(constructors, type))
    return fields.unsupported("feature_extractor_type", Object.keys(constructors).join(", "));
  for (const [field, value] of Object.entries(fixedFields)) fields.mustBe(field, value);
  const options = Object.entries(extractors[type]!.fields).flatMap(([field, option]) =>
    fields.has(field) ? [[option, values[field]]] : [],
  );
  fields.finish(ignored);
  return constructors[type]!(Object.fromEntries(options) as never);
}
