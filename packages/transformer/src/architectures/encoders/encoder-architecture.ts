import type { Activation } from "../../layers/activation.js";
import type { EncoderConfig } from "../../models/encoder.js";
import type { TaskHeadConfig } from "../../models/task-head.js";
import type { ConfigFields } from "../config-fields.js";
import type { StoredTensor } from "../stored-tensor.js";

/** An encoder architecture of Hugging Face: fields of its `config.json`, and names of its tensors and heads. */
export type EncoderArchitecture = {
  /** Values of `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Prefixes of tensor names, in checkpoints that contain a head: `bert.`. */
  readonly prefixes: readonly string[];
  /** Name of the embedding matrix without its prefix, which is used to find the prefix. */
  readonly embeddingName: string;
  /** The configuration, and its tensors without the prefix. */
  read(
    fields: ConfigFields,
    type: string,
  ): { readonly config: EncoderConfig; readonly tensors: readonly StoredTensor[] };
  /** Tensor names of the heads. `path`: the prefix in the file. */
  heads(path: string, type: string, fields: ConfigFields): EncoderHeads;
  /** Ignored fields of `config.json`, separated by spaces: they do not affect the result. */
  readonly ignored: readonly string[];
  /** Further ignored fields for a configuration: those of a related model with the same `model_type`. */
  readonly ignoredBy?: (config: EncoderConfig) => readonly string[];
  /** Ignored tensors: they do not affect the result. */
  readonly ignoredTensors: RegExp;
};

/** The heads of an architecture, by task. */
export type EncoderHeads = Partial<Record<TaskHeadConfig["task"], TaskHeadNames>> & {
  readonly maskedToken?: MaskedTokenHeadNames;
};

/** Tensor names and options of a head for a task. */
export type TaskHeadNames = {
  /** A dense layer `[C, C]` before the output projection. Default: none. */
  readonly dense?: string;
  /** Activation after `dense`. */
  readonly activation?: Activation;
  /** A norm after the activation. Default: none. */
  readonly norm?: string;
  /** Epsilon of the norm. Required with `norm`. */
  readonly normEps?: number;
  /** The output projection to labels. Absent for a pooler. */
  readonly output?: string;
  /** A second projection to labels, applied to the distillation token. */
  readonly distillation?: string;
  readonly pooling?: TaskHeadConfig["pooling"];
};

/** Tensor names of a head for masked language modeling. */
export type MaskedTokenHeadNames = {
  /** A dense layer `[C, C]`, followed by the activation of the encoder. */
  readonly dense: string;
  /** The norm after the activation. */
  readonly norm: string;
  /** Names of the output bias: files use one of these. */
  readonly biases: readonly string[];
  /** False if projections and norms have no biases. Default true. */
  readonly biased?: boolean;
};
