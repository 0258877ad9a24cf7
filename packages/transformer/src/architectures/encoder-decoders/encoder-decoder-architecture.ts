import type { EncoderDecoderConfig } from "../../models/encoder-decoder.js";
import type { TaskHeadNames } from "../encoders/encoder-architecture.js";
import type { ConfigFields } from "../config-fields.js";
import type { StoredTensor } from "../stored-tensor.js";

/** An encoder–decoder of Hugging Face's: fields of its `config.json`, and names of its tensors. */
export type EncoderDecoderArchitecture = {
  /** As in `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Paths in front of names, in files that hold a head too: `model.`. */
  readonly paths: readonly string[];
  /** The table of embeddings, without the path, by which that is found: the first that a file has. */
  readonly tables: readonly [string, ...string[]];
  /**
   * The configuration, and its tensors without the path.
   *
   * @param file - The file's own names.
   */
  read(fields: ConfigFields, file: EncoderDecoderFile): EncoderDecoderTable;
  /** The fields of a configuration, which `read` reads as that one. */
  write(config: EncoderDecoderConfig, type: string): Readonly<Record<string, unknown>>;
  /** Classes of models that write, by type. */
  readonly classes: Readonly<Record<string, string>>;
  /** Tensors of the head for texts that are classified. Absent where none is known. */
  readonly sequenceHead?: TaskHeadNames;
  /** Names of fields that change nothing, separated by spaces. */
  readonly ignored: readonly string[];
  /** Names of tensors that change nothing. */
  readonly ignoredTensors: RegExp;
};

/** Names in a file that a table asks for. */
export type EncoderDecoderFile = {
  /** As in `model_type`. */
  readonly type: string;
  /** The one of `tables` that the file has. */
  readonly table: string;
  /** True for a tensor of the file, by its whole name. */
  has(name: string): boolean;
};

/** A configuration and its tensors. */
export type EncoderDecoderTable = {
  readonly config: EncoderDecoderConfig;
  /** Of the model, whose names stand after the path. */
  readonly tensors: readonly StoredTensor[];
  /** Of the map to logits, whose names stand without one. */
  readonly output: readonly StoredTensor[];
};
