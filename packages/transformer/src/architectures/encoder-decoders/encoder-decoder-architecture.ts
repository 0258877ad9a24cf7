import type { EncoderDecoderConfig } from "../../models/encoder-decoder.js";
import type { TaskHeadNames } from "../encoders/encoder-architecture.js";
import type { ConfigFields } from "../config-fields.js";
import type { StoredTensor } from "../stored-tensor.js";

/** An encoder–decoder architecture of Hugging Face: fields of its `config.json`, and names of its tensors. */
export type EncoderDecoderArchitecture = {
  /** Values of `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Prefixes of tensor names, in checkpoints that contain a head: `model.`. */
  readonly prefixes: readonly string[];
  /** Names of the embedding matrix without the prefix, of which the first that the file contains is used to find the prefix. */
  readonly embeddingNames: readonly [string, ...string[]];
  /**
   * The configuration, and its tensors without the prefix.
   *
   * @param file - Access to the tensor names of the file.
   */
  read(fields: ConfigFields, file: EncoderDecoderFile): EncoderDecoderTable;
  /** Writes fields that `read` reads as this configuration. */
  write(config: EncoderDecoderConfig, type: string): Readonly<Record<string, unknown>>;
  /** Class names of models that generate, by `model_type`. */
  readonly classes: Readonly<Record<string, string>>;
  /** Tensors of the head for sequence classification. Absent if none is supported. */
  readonly sequenceHead?: TaskHeadNames;
  /** Ignored fields of `config.json`, separated by spaces: they do not affect the result. */
  readonly ignored: readonly string[];
  /** Ignored tensors: they do not affect the result. */
  readonly ignoredTensors: RegExp;
};

/** Information about a file for `read`. */
export type EncoderDecoderFile = {
  /** As in `model_type`. */
  readonly type: string;
  /** The name among `embeddingNames` that the file contains. */
  readonly embeddingName: string;
  /** True if the file has a tensor with this full name. */
  has(name: string): boolean;
};

/** A configuration and its tensors. */
export type EncoderDecoderTable = {
  readonly config: EncoderDecoderConfig;
  /** Tensors of the model, whose names follow the prefix. */
  readonly tensors: readonly StoredTensor[];
  /** Tensors of the output projection, whose names have no prefix. */
  readonly output: readonly StoredTensor[];
};
