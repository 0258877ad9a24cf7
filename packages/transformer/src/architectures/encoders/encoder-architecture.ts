import type { Activation } from "../../layers/activation.js";
import type { EncoderConfig } from "../../models/encoder.js";
import type { TaskHeadConfig } from "../../models/task-head.js";
import type { ConfigFields } from "../config-fields.js";
import type { StoredTensor } from "../stored-tensor.js";

/** An encoder of Hugging Face's: fields of its `config.json`, names of its tensors, and those of its heads. */
export type EncoderArchitecture = {
  /** As in `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Paths in front of names, in files that hold a head too: `bert.`. */
  readonly paths: readonly string[];
  /** The table of embeddings, without the path, which is found by it. */
  readonly table: string;
  /** The configuration, and its tensors without the path. */
  read(
    fields: ConfigFields,
    type: string,
  ): { readonly config: EncoderConfig; readonly tensors: readonly StoredTensor[] };
  /** Names of heads. `path`: that of the file. */
  heads(path: string, type: string, fields: ConfigFields): EncoderHeads;
  /** Names of fields that change nothing, separated by spaces. */
  readonly ignored: readonly string[];
  /** The same where `read` names more of them: those of a relative that has the same type. */
  readonly ignoredBy?: (config: EncoderConfig) => readonly string[];
  /** Names of tensors that change nothing. */
  readonly ignoredTensors: RegExp;
};

/** The heads that files of an architecture may hold, by what they do. */
export type EncoderHeads = Partial<Record<TaskHeadConfig["task"], TaskHeadNames>> & {
  readonly maskedToken?: MaskedTokenHeadNames;
};

/** Tensors of a head for a task. */
export type TaskHeadNames = {
  readonly dense?: string;
  /** Of what `dense` makes. */
  readonly activation?: Activation;
  readonly norm?: string;
  readonly normEps?: number;
  readonly output?: string;
  /** A second map to labels, of the distillation token. */
  readonly distillation?: string;
  readonly pooling?: TaskHeadConfig["pooling"];
};

/** Tensors of a head for masked tokens. */
export type MaskedTokenHeadNames = {
  readonly dense: string;
  readonly norm: string;
  /** One vector, which files may hold under any of these. */
  readonly biases: readonly string[];
  /** False where maps and norms have no biases. Default true. */
  readonly biased?: boolean;
};
