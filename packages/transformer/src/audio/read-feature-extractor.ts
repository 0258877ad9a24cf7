import { checks, FormatError, type Checks, knownNames } from "@qkv/core";
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

/**
 * The feature extractor that a `preprocessor_config.json` describes: of Whisper, wav2vec 2.0 (Moonshine, HuBERT, WavLM), SeamlessM4T
 * or the Audio Spectrogram Transformer.
 *
 * @param config - The parsed file. Absent fields have the defaults of the class in transformers.
 * @returns The extractor of its `feature_extractor_type`.
 * @throws {FormatError} If the type is unknown, or a field has an unsupported value.
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
  const check: Checks<{ argument: string }> = checks(
    "readFeatureExtractor",
    { argument: "config" },
    FormatError,
  );
  const isObject = typeof config === "object" && config !== null && !Array.isArray(config);
  const fields = (isObject ? config : {}) as Readonly<Record<string, unknown>>;
  const type = fields["feature_extractor_type"];
  const kind = typeof type === "string" && Object.hasOwn(constructors, type) ? extractors[type] : undefined;
  if (!kind) {
    check.refuse({
      received: isObject ? `\`feature_extractor_type\` ${JSON.stringify(type)}` : config,
      expected: `\`feature_extractor_type\` to be one of ${knownNames(type, Object.keys(constructors), "the reference of `readFeatureExtractor`")}`,
      fix: "give the parsed `preprocessor_config.json` of a model for sound.",
    });
  }
  for (const [field, value] of Object.entries(fixedFields)) {
    if (fields[field] === undefined || fields[field] === value) continue;
    check.refuse({
      received: `\`${field}\` ${JSON.stringify(fields[field])}`,
      expected: `\`${field}\` to be ${JSON.stringify(value)}`,
      fix: "take a model whose sound is padded with zeros at the end, or remove the field.",
    });
  }
  const options = Object.entries(kind.fields).flatMap(([field, option]) =>
    fields[field] === undefined ? [] : [[option, fields[field]]],
  );
  return constructors[type as string]!(Object.fromEntries(options) as never);
}
