import type { LinearParams } from "@qkv/attention";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import type { ArchitectureConstraints } from "./architecture-constraints.js";
import { unchanged, type TensorToWrite } from "../architectures/tensor-to-write.js";

/** Conversion of a decoder to a checkpoint of a Hugging Face architecture. */
export type HuggingFaceDecoder = {
  /** As in `model_type`. */
  readonly name: string;
  /** The class name in transformers. */
  readonly class: string;
  readonly constraints: ArchitectureConstraints;
  fields(config: DecoderConfig, params: DecoderParams): Record<string, unknown>;
  tensors(config: DecoderConfig, params: DecoderParams): TensorToWrite[];
};

/** D, the head dimension. */
export const decoderHeadDim = ({ headDim, embedDim, numHeads }: DecoderConfig) =>
  headDim ?? embedDim / numHeads;

/** A linear layer, with its bias if it has one. */
export function linear(path: string, { weight, bias }: LinearParams, write = unchanged): TensorToWrite[] {
  return [write(`${path}.weight`, weight), ...(bias ? [write(`${path}.bias`, bias)] : [])];
}
