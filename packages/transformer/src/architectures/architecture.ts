import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import type { ConfigFields } from "./config-fields.js";
import type { ConfigEntry } from "./config-entry.js";
import type { GgufArchitecture } from "./gguf/gguf-architecture.js";
import type { StoredTensor } from "./stored-tensor.js";

/**
 * A decoder architecture of Hugging Face: a table that maps fields of `config.json` to a `DecoderConfig`, and tensors of a
 * checkpoint to `DecoderParams`. Loading and exporting use the same table.
 */
export type Architecture = {
  /** Values of `model_type`. Exports write the first. */
  readonly modelTypes: readonly [string, ...string[]];
  /** The class name in transformers, as in `architectures`. */
  readonly class: string;
  /** Entries of the configuration. */
  config(): readonly ConfigEntry[];
  /**
   * Tensors of a configuration. `tied`: the output projection is the embedding matrix. `fields`: those of the file that is read, for
   * multipliers that are folded into weights on loading; undefined on export, which writes no multipliers.
   */
  tensors(config: DecoderConfig, tied: boolean, fields?: ConfigFields): readonly StoredTensor[];
  /** True if the architecture can store these params. Default: true for each configuration that survives writing and reading. */
  fits?(params: DecoderParams): boolean;
  /** The llama.cpp architectures that can store it. Default: none. */
  gguf?(): readonly GgufArchitecture[];
  /** Default of `tie_word_embeddings` in files without the field. Default false. */
  readonly tied?: boolean;
  /** Defaults of absent fields, if they differ from the defaults of the entries. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Ignored fields of `config.json`, separated by spaces: they do not affect the result. */
  readonly ignored?: string;
  /** Ignored tensors of a configuration: they do not affect the result. */
  readonly ignoredTensors?: RegExp | ((config: DecoderConfig) => RegExp);
};
