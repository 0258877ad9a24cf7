import type { EncoderConfig } from "../../models/encoder.js";
import type { VisionTransformerConfig } from "../../models/vision-transformer.js";
import { activationField, activationNames, type ConfigFields } from "../config-fields.js";
import { encoderLayer, layerCount, type EncoderLayerNames } from "../encoders/encoder-parts.js";
import { each, norm, stored, type StoredTensor } from "../stored-tensor.js";

/** Ignored fields of ViT and related models. */
export const visionIgnored =
  "dropout hidden_dropout_prob attention_probs_dropout_prob drop_path_rate tie_word_embeddings is_decoder cross_attention_hidden_size";

/** Sizes of a vision transformer, from fields that ViT, CLIP and SigLIP share. */
export function visionSizes(fields: ConfigFields): Omit<VisionTransformerConfig, "hiddenDim"> {
  return {
    imageSize: fields.count("image_size"),
    patchSize: fields.count("patch_size"),
    numChannels: fields.count("num_channels"),
    embedDim: fields.count("hidden_size"),
    numLayers: layerCount(fields, "num_hidden_layers"),
    numHeads: fields.count("num_attention_heads"),
    normEps: fields.positive("layer_norm_eps"),
    activation: activationField(fields, "hidden_act", "gelu"),
  };
}

/** Number of position embeddings. */
export const positionCount = ({
  imageSize,
  patchSize,
  classToken = true,
  distillationToken = false,
}: VisionTransformerConfig): number =>
  Math.floor(imageSize / patchSize) ** 2 + [classToken, distillationToken].filter(Boolean).length;

/** The patch embedding, a convolution. */
export function patchTensors(
  { embedDim: C, numChannels = 3, patchSize: P, patchBias = true }: VisionTransformerConfig,
  name: string,
): StoredTensor[] {
  return [
    stored("patches.weight", `${name}.weight`, [C, numChannels, P, P]),
    ...(patchBias ? [stored("patches.bias", `${name}.bias`, [C])] : []),
  ];
}

/** Names of a layer in the text and image encoders of CLIP and SigLIP. */
const layerNames: EncoderLayerNames = {
  query: "self_attn.q_proj",
  key: "self_attn.k_proj",
  value: "self_attn.v_proj",
  output: "self_attn.out_proj",
  attentionNorm: "layer_norm1",
  up: "mlp.fc1",
  down: "mlp.fc2",
  feedForwardNorm: "layer_norm2",
};

/** Tensors of the layers of CLIP and SigLIP. */
export const dualEncoderLayers = (
  config: Pick<EncoderConfig, "embedDim" | "hiddenDim" | "numLayers">,
): StoredTensor => each(config.numLayers, "layers", "encoder.layers", () => encoderLayer(config, layerNames));

/** Configuration of the text encoder of CLIP and SigLIP. */
export function textEncoder(fields: ConfigFields): EncoderConfig {
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim: fields.count("hidden_size"),
    hiddenDim: fields.count("intermediate_size"),
    numLayers: layerCount(fields, "num_hidden_layers"),
    numHeads: fields.count("num_attention_heads"),
    contextLength: fields.count("max_position_embeddings"),
    numTypes: 0,
    normEps: fields.positive("layer_norm_eps"),
    activation: activationField(fields, "hidden_act", "gelu"),
    placement: "pre",
    embeddingNorm: false,
  };
}

/** Tensors of the text encoder. */
export function textTensors(config: EncoderConfig): StoredTensor[] {
  const { vocabSize: V, embedDim: C, contextLength: T } = config;
  return [
    stored("embedding.weight", "embeddings.token_embedding.weight", [V, C], "table"),
    stored("positions.weight", "embeddings.position_embedding.weight", [T, C]),
    dualEncoderLayers(config),
    norm("finalNorm", "final_layer_norm", C, { bias: true }),
  ];
}

/** The fields of the text encoder or the image encoder of a dual encoder. */
export const encoderFields = (fields: ConfigFields, name: "text_config" | "vision_config"): ConfigFields =>
  fields.nested(name) ?? fields.refuse(name, "the configuration of this encoder");

/** Writes the fields that {@link visionSizes} reads, and the hidden width. */
export const visionFields = (config: VisionTransformerConfig): Record<string, unknown> => ({
  image_size: config.imageSize,
  patch_size: config.patchSize,
  num_channels: config.numChannels ?? 3,
  ...layerFields(config),
});

/** Writes the fields of the text encoder of CLIP and SigLIP. */
export const textFields = (config: EncoderConfig): Record<string, unknown> => ({
  vocab_size: config.vocabSize,
  max_position_embeddings: config.contextLength,
  ...layerFields(config),
});

/** Writes the fields of layers. */
const layerFields = (config: VisionTransformerConfig | EncoderConfig): Record<string, unknown> => ({
  hidden_size: config.embedDim,
  intermediate_size: config.hiddenDim,
  num_hidden_layers: config.numLayers,
  num_attention_heads: config.numHeads,
  layer_norm_eps: config.normEps,
  hidden_act: activationNames[config.activation ?? "gelu"],
});
