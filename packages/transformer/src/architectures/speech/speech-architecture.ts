import type { SpeechToTextConfig } from "../../models/speech-to-text.js";
import type { ConfigFields } from "../config-fields.js";
import type { StoredTensor } from "../stored-tensor.js";

/** A speech architecture of Hugging Face: fields of its `config.json`, and names of its tensors. */
export type SpeechArchitecture = {
  /** Values of `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Prefixes of tensor names, in checkpoints of the whole model: `model.`. */
  readonly prefixes: readonly string[];
  /** Name of the embedding matrix without its prefix, which is used to find the prefix. */
  readonly embeddingName: string;
  /** The configuration, its tensors without the prefix, and the default feature extractor. */
  read(fields: ConfigFields): {
    readonly config: SpeechToTextConfig;
    readonly tensors: readonly StoredTensor[];
    /** As a `preprocessor_config.json`. */
    readonly features: object;
  };
  /** Writes fields for a configuration. The export is refused if `read` does not read them as the same configuration. */
  write(config: SpeechToTextConfig): Readonly<Record<string, unknown>>;
  /** Class name of transformers, written to `architectures`. */
  readonly class: string;
  /** Ignored fields of `config.json`, separated by spaces: they do not affect the result. */
  readonly ignored: readonly string[];
  /** Ignored tensors: they do not affect the result. */
  readonly ignoredTensors: RegExp;
};
