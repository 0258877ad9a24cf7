import type { LinearParams } from "@qkv/attention";
import type { Tensor } from "@qkv/tensor";
import type { FeedForwardParams } from "../layers/feed-forward.js";
import type { DecoderParams } from "../models/decoder.js";
import { activationNames } from "../architectures/config-fields.js";
import { linear, type HuggingFaceDecoder } from "./hugging-face-decoder.js";
import type { ArchitectureConstraints } from "./architecture-constraints.js";
import { unchanged, concatenated, type TensorToWrite } from "../architectures/tensor-to-write.js";

/** Options of architectures of GPT-2's family. */
export type Gpt2Variant = {
  class: string;
  constraints: ArchitectureConstraints;
  fields?: Record<string, unknown>;
  /** Writes one matrix, or several concatenated ones. */
  write(name: string, parts: readonly Tensor[]): TensorToWrite;
};

/** An architecture of GPT-2's family. */
export function gpt2Family(name: string, variant: Gpt2Variant): HuggingFaceDecoder {
  return {
    name,
    class: variant.class,
    constraints: variant.constraints,
    fields: (config, params) => ({
      vocab_size: config.vocabSize,
      n_embd: config.embedDim,
      n_inner: config.hiddenDim,
      n_layer: config.numLayers,
      n_head: config.numHeads,
      n_positions: config.contextLength,
      layer_norm_epsilon: config.normEps,
      activation_function: activationNames[config.activation ?? "silu"],
      tie_word_embeddings: params.output === undefined,
      ...variant.fields,
    }),
    tensors: (_config, params) => gpt2Tensors(params, variant.write),
  };
}

/** The tensors of a model of GPT-2's family, by their names in checkpoints of Hugging Face. */
export function gpt2Tensors(params: DecoderParams, write: Gpt2Variant["write"]): TensorToWrite[] {
  const maps = (path: string, parts: readonly LinearParams[]): TensorToWrite[] => [
    write(
      `${path}.weight`,
      parts.map(({ weight }) => weight),
    ),
    concatenated(
      `${path}.bias`,
      parts.map(({ bias }) => bias!),
    ),
  ];
  return [
    unchanged("transformer.wte.weight", params.embedding.weight),
    unchanged("transformer.wpe.weight", params.positions!.weight),
    ...params.layers.flatMap(({ attentionNorm, attention, feedForwardNorm, feedForward }, i) => {
      const path = `transformer.h.${i}`;
      const { up, down } = feedForward as FeedForwardParams;
      return [
        ...linear(`${path}.ln_1`, attentionNorm),
        ...maps(`${path}.attn.c_attn`, [attention.query, attention.key, attention.value]),
        ...maps(`${path}.attn.c_proj`, [attention.output]),
        ...linear(`${path}.ln_2`, feedForwardNorm),
        ...maps(`${path}.mlp.c_fc`, [up]),
        ...maps(`${path}.mlp.c_proj`, [down]),
      ];
    }),
    ...linear("transformer.ln_f", params.norm),
    ...(params.output ? [unchanged("lm_head.weight", params.output.weight)] : []),
  ];
}
