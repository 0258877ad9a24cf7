import type { DualEncoderConfig } from "../../models/dual-encoder.js";
import type { VisionTransformerConfig } from "../../models/vision-transformer.js";
import type { ConfigFields } from "../config-fields.js";
import type { TaskHeadNames } from "../encoders/encoder-architecture.js";
import type { StoredTensor } from "../stored-tensor.js";

/** The tables of a model of images share this. */
type Table = {
  /** As in `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Names of fields that change nothing, separated by spaces. */
  readonly ignored: readonly string[];
  /** Names of tensors that change nothing. */
  readonly ignoredTensors: RegExp;
};

/** A vision transformer of Hugging Face's: fields of its `config.json`, names of its tensors, and those of its heads. */
export type VisionArchitecture = Table & {
  /** Classes of transformers, for what is written. */
  readonly classes: { readonly model: string; readonly image: string };
  /** The path in front of names in files that hold no head. */
  readonly barePath: string;
  /** Paths in front of names, in files that hold a head too: `vit.`. */
  readonly paths: readonly string[];
  /** The tensor that the path is found by, without it. */
  readonly first: string;
  read(fields: ConfigFields): {
    readonly config: VisionTransformerConfig;
    readonly tensors: readonly StoredTensor[];
  };
  /** Fields of a configuration that `read` reads as this one, or nearly: another one is refused. */
  write(config: VisionTransformerConfig): Record<string, unknown>;
  /** Heads that files may hold: a map of what stands for an image, and one to labels. `path`: that of the file. */
  heads(
    path: string,
    fields: ConfigFields,
  ): { readonly pooler?: TaskHeadNames; readonly image: TaskHeadNames };
};

/** Two encoders of Hugging Face's in one file: fields of its `config.json`, and names of its tensors. */
export type DualEncoderArchitecture = Table & {
  read(fields: ConfigFields): {
    readonly config: DualEncoderConfig;
    readonly tensors: readonly StoredTensor[];
  };
  /** Fields of a configuration that `read` reads as this one, or nearly: another one is refused. */
  write(config: DualEncoderConfig): Record<string, unknown>;
};
