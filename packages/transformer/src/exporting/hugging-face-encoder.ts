import { ArgumentError } from "@qkv/core";
import type { EncoderConfig, EncoderParams } from "../models/encoder.js";
import type { TaskHeadConfig } from "../models/task-head.js";
import { activationNames } from "../architectures/config-fields.js";
import { linear } from "./hugging-face-decoder.js";
import { unchanged, type TensorToWrite } from "../architectures/tensor-to-write.js";

/** Exports an encoder as a BERT of Hugging Face, with its head if it has one. */
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
  refuseTraits(config);
  const { maskedTokenHead: masked, head } = params;
  const task = head && config.head;
  const path = masked || (task && task.task !== "pooler") ? "bert." : "";
  const embeddings = `${path}embeddings`;
  return {
    fields: {
      architectures: [masked ? "BertForMaskedLM" : classes[task?.task ?? "pooler"]],
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
      ...(task && labelFields(task)),
    },
    tensors: [
      unchanged(`${embeddings}.word_embeddings.weight`, params.embedding.weight),
      unchanged(`${embeddings}.position_embeddings.weight`, params.positions.weight),
      unchanged(`${embeddings}.token_type_embeddings.weight`, params.types.weight),
      ...linear(`${embeddings}.LayerNorm`, params.embeddingNorm),
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
      ...(masked
        ? [
            ...linear("cls.predictions.transform.dense", masked.dense),
            ...linear("cls.predictions.transform.LayerNorm", masked.norm),
            unchanged("cls.predictions.bias", masked.bias),
          ]
        : []),
      ...(head?.dense ? linear(`${path}pooler.dense`, head.dense) : []),
      ...(head?.output ? linear(task?.task === "span" ? "qa_outputs" : "classifier", head.output) : []),
    ],
  };
}

/** Class names in transformers, by task. */
const classes = {
  pooler: "BertModel",
  sequence: "BertForSequenceClassification",
  token: "BertForTokenClassification",
  span: "BertForQuestionAnswering",
  image: undefined, // BERT has no image head
} as const;

/** Fields for the labels of a head and the meaning of its logits. */
export function labelFields({ task, labels, scores }: TaskHeadConfig): Record<string, unknown> {
  if (task === "pooler" || task === "span") return {};
  return {
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    ...(scores === "none" && { problem_type: "regression" }),
    ...(scores === "sigmoid" && { problem_type: "multi_label_classification" }),
  };
}

/** Refuses an encoder that differs from BERT. */
export function refuseTraits(config: EncoderConfig): void {
  const { positions = "learned", placement = "post", gated = false, bias = true, layerTypes, head } = config;
  const differs = {
    embeddingRank: config.embeddingRank !== undefined,
    positions: positions !== "learned",
    relativeBias: config.relativeBias !== undefined,
    disentangled: config.disentangled !== undefined,
    tokenDropout: config.tokenDropout !== undefined,
    placement: placement !== "post",
    gated,
    bias: !bias,
    layerTypes: layerTypes?.includes("sliding") ?? false,
    layerGroups: config.layerGroups !== undefined,
    embeddingNorm: config.embeddingNorm === false,
    causal: config.causal === true,
    head: head !== undefined && !isBertHead(head),
  };
  const name = (Object.keys(differs) as (keyof typeof differs)[]).find((field) => differs[field]);
  if (name === undefined) return;
  throw new ArgumentError({
    fn: "exportModel",
    argument: `config.${name}`,
    received: config[name],
    expected: "an encoder as BERT is, which is the one that is written",
    fix: "keep the folder that the model was loaded from; its other relatives are read alone.",
  });
}

/** True for a head like those of BERT, which for texts pool the first token with a tanh layer. */
const isBertHead = ({ task, pooling = "cls", activation, normEps }: TaskHeadConfig): boolean => {
  if (task === "image") return false;
  const labelsTexts = task === "pooler" || task === "sequence";
  return pooling === "cls" && normEps === undefined && activation === (labelsTexts ? "tanh" : undefined);
};
