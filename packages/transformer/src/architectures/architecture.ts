import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import type { ConfigFields } from "./config-fields.js";
import type { ConfigEntry } from "./config-entry.js";
import type { GgufArchitecture } from "./gguf/gguf-architecture.js";
import type { StoredTensor } from "./stored-tensor.js";

/**
 * An architecture of Hugging Face's: fields of its `config.json` beside our configuration, and names of its tensors beside
 * our params. Loading and exporting read the same table.
 */
export type Architecture = {
  /** As in `model_type`; the first is written. */
  readonly modelTypes: readonly [string, ...string[]];
  /** The class of transformers, as in `architectures`. */
  readonly class: string;
  /** Entries of the configuration. */
  config(): readonly ConfigEntry[];
  /**
   * Tensors of a configuration. `tied`: the output map is the embedding. `fields`: of the file that is read, for factors
   * that weights take in as they are read; absent where a file is written, which then has none.
   */
  tensors(config: DecoderConfig, tied: boolean, fields?: ConfigFields): readonly StoredTensor[];
  /** True for params that can be written. Default: all of a configuration that reads back the same. */
  fits?(params: DecoderParams): boolean;
  /** The architectures of llama.cpp that hold it. Default: none. */
  gguf?(): readonly GgufArchitecture[];
  /** The value of `tie_word_embeddings` where a file leaves it out. Default false. */
  readonly tied?: boolean;
  /** Values of fields that a file leaves out, where they differ from those of the entries. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Names of fields that change nothing, separated by spaces. */
  readonly ignored?: string;
  /** Names of tensors that change nothing, of a configuration. */
  readonly ignoredTensors?: RegExp | ((config: DecoderConfig) => RegExp);
};
