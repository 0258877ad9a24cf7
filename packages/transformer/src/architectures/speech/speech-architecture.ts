import type { SpeechToTextConfig } from "../../models/speech-to-text.js";
import type { ConfigFields } from "../config-fields.js";
import type { StoredTensor } from "../stored-tensor.js";

/** A speech model of Hugging Face's: fields of its `config.json`, and names of its tensors. */
export type SpeechArchitecture = {
  /** As in `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Paths in front of names, in files of the whole model: `model.`. */
  readonly paths: readonly string[];
  /** The table of embeddings, without the path, which is found by it. */
  readonly table: string;
  /** The configuration, its tensors without the path, and the front end where a folder names none. */
  read(fields: ConfigFields): {
    readonly config: SpeechToTextConfig;
    readonly tensors: readonly StoredTensor[];
    /** As a `preprocessor_config.json`. */
    readonly features: object;
  };
  /** Fields of a configuration that `read` reads as this one, or nearly: another one is refused. */
  write(config: SpeechToTextConfig): Readonly<Record<string, unknown>>;
  /** Class of transformers, for what is written. */
  readonly class: string;
  /** Names of fields that change nothing, separated by spaces. */
  readonly ignored: readonly string[];
  /** Names of tensors that change nothing. */
  readonly ignoredTensors: RegExp;
};
