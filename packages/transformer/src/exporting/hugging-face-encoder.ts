import { ArgumentError } from "@qkv/core";
import type { EncoderConfig, EncoderParams } from "../models/encoder.js";
import { activationNames } from "../architectures/config-fields.js";
import { linear } from "./hugging-face-decoder.js";
import { unchanged, type TensorToWrite } from "../architectures/tensor-to-write.js";

/** An encoder of ours as a BERT of Hugging Face: with its head for masked tokens, if it has one. */
export function bertCheckpoint(
  config: EncoderConfig,
  params: EncoderParams,
): { fields: Record<string, unknown>; tensors: TensorToWrite[] } {
  if (!params.types) {
    throw new ArgumentError({
      fn: "exportModel",
      argument: "params.types",
      received: undefined,
      expected: "rows for types of segments, as BERT has",
      fix: "make the encoder with `numTypes: 1`, and a row of zeros.",
    });
  }
  const head = params.maskedTokenHead;
  const path = head ? "bert." : "";
  const own = `${path}embeddings`;
  return {
    fields: {
      architectures: [head ? "BertForMaskedLM" : "BertModel"],
      model_type: "bert",
      vocab_size: config.vocabSize,
      hidden_size: config.embedDim,
      intermediate_size: config.hiddenDim,
      num_hidden_layers: config.numLayers,
      num_attention_heads: config.numHeads,
      max_position_embeddings: config.contextLength,
      type_vocab_size: config.numTypes,
      layer_norm_eps: config.normEps,
      hidden_act: activationNames[config.activation ?? "gelu"],
      tie_word_embeddings: true,
    },
    tensors: [
      unchanged(`${own}.word_embeddings.weight`, params.embedding.weight),
      unchanged(`${own}.position_embeddings.weight`, params.positions.weight),
      unchanged(`${own}.token_type_embeddings.weight`, params.types.weight),
      ...linear(`${own}.LayerNorm`, params.embeddingNorm),
      ...params.layers.flatMap(({ attention, attentionNorm, feedForward, feedForwardNorm }, i) => {
        const layer = `${path}encoder.layer.${i}`;
        return [
          ...linear(`${layer}.attention.self.query`, attention.query),
          ...linear(`${layer}.attention.self.key`, attention.key),
          ...linear(`${layer}.attention.self.value`, attention.value),
          ...linear(`${layer}.attention.output.dense`, attention.output),
          ...linear(`${layer}.attention.output.LayerNorm`, attentionNorm),
          ...linear(`${layer}.intermediate.dense`, feedForward.up),
          ...linear(`${layer}.output.dense`, feedForward.down),
          ...linear(`${layer}.output.LayerNorm`, feedForwardNorm),
        ];
      }),
      ...(head
        ? [
            ...linear("cls.predictions.transform.dense", head.dense),
            ...linear("cls.predictions.transform.LayerNorm", head.norm),
            unchanged("cls.predictions.bias", head.bias),
          ]
        : []),
    ],
  };
}
