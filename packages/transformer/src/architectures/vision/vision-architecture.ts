import type { DualEncoderConfig } from "../../models/dual-encoder.js";
import type { VisionTransformerConfig } from "../../models/vision-transformer.js";
import type { ConfigFields } from "../config-fields.js";
import type { TaskHeadNames } from "../encoders/encoder-architecture.js";
import type { StoredTensor } from "../stored-tensor.js";

/** Properties shared by the architectures of image models. */
type ImageModelArchitecture = {
  /** Values of `model_type`. */
  readonly modelTypes: readonly [string, ...string[]];
  /** Ignored fields of `config.json`, separated by spaces: they do not affect the result. */
  readonly ignored: readonly string[];
  /** Ignored tensors: they do not affect the result. */
  readonly ignoredTensors: RegExp;
};

/** A vision transformer of Hugging Face: fields of its `config.json`, and names of its tensors and heads. */
export type VisionArchitecture = ImageModelArchitecture & {
  /** Class names of transformers, written to `architectures`. */
  readonly classes: { readonly model: string; readonly image: string };
  /** Prefix of tensor names in checkpoints without a head. */
  readonly barePath: string;
  /** Prefixes of tensor names, in checkpoints that contain a head: `vit.`. */
  readonly prefixes: readonly string[];
  /** Name of a tensor without the prefix, which is used to find the prefix. */
  readonly first: string;
  read(fields: ConfigFields): {
    readonly config: VisionTransformerConfig;
    readonly tensors: readonly StoredTensor[];
  };
  /** Writes fields for a configuration. The export is refused if `read` does not read them as the same configuration, up to rounding. */
  write(config: VisionTransformerConfig): Record<string, unknown>;
  /** Heads of a file: the pooler, and the projection to labels. `path`: the prefix in the file. */
  heads(
    path: string,
    fields: ConfigFields,
  ): { readonly pooler?: TaskHeadNames; readonly image: TaskHeadNames };
};

/** A dual encoder of Hugging Face, for text and images: fields of its `config.json`, and names of its tensors. */
export type DualEncoderArchitecture = ImageModelArchitecture & {
  read(fields: ConfigFields): {
    readonly config: DualEncoderConfig;
    readonly tensors: readonly StoredTensor[];
  };
  /** Writes fields for a configuration. The export is refused if `read` does not read them as the same configuration, up to rounding. */
  write(config: DualEncoderConfig): Record<string, unknown>;
};
