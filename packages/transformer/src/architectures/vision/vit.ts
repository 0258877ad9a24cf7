import type { VisionTransformerConfig } from "../../models/vision-transformer.js";
import { activationField, activationNames } from "../config-fields.js";
import { encoderLayer } from "../encoders/encoder-parts.js";
import { each, norm, reshaped, type StoredTensor } from "../stored-tensor.js";
import type { VisionArchitecture } from "./vision-architecture.js";
import { visionIgnored, patchTensors, positionCount, visionFields, visionSizes } from "./vision-parts.js";

/** ViT, the Vision Transformer. */
export const vit: VisionArchitecture = {
  modelTypes: ["vit"],
  classes: { model: "ViTModel", image: "ViTForImageClassification" },
  barePath: "",
  prefixes: ["vit."],
  first: "embeddings.cls_token",
  read(fileFields) {
    const fields = fileFields.withDefaults({
      ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
      ...{ layer_norm_eps: 1e-12, image_size: 224, patch_size: 16, num_channels: 3 },
    });
    const config = { ...visionSizes(fields), hiddenDim: fields.count("intermediate_size") };
    return { config, tensors: vitTensors(config) };
  },
  write: (config) => ({ ...visionFields(config), qkv_bias: true, ...poolerFields(config) }),
  heads: (path, fields) => ({
    pooler: { dense: `${path}pooler.dense`, activation: activationField(fields, "pooler_act", "tanh") },
    image: { output: "classifier" },
  }),
  ignored: [visionIgnored, "qkv_bias encoder_stride pooler_output_size"],
  ignoredTensors: /mask_token$|pooler\./,
};

/** Tensors of ViT, and of the distillation token if there is one. */
export function vitTensors(config: VisionTransformerConfig): StoredTensor[] {
  const { embedDim: C } = config;
  const rows = positionCount(config);
  const token = { stored: [1, 1, C], inParams: [C] };
  return [
    ...patchTensors(config, "embeddings.patch_embeddings.projection"),
    reshaped("classToken.weight", "embeddings.cls_token", token),
    ...(config.distillationToken
      ? [reshaped("distillationToken.weight", "embeddings.distillation_token", token)]
      : []),
    reshaped("positions.weight", "embeddings.position_embeddings", {
      stored: [1, rows, C],
      inParams: [rows, C],
    }),
    each(config.numLayers, "layers", "encoder.layer", () =>
      encoderLayer(config, {
        query: "attention.attention.query",
        key: "attention.attention.key",
        value: "attention.attention.value",
        output: "attention.output.dense",
        attentionNorm: "layernorm_before",
        up: "intermediate.dense",
        down: "output.dense",
        feedForwardNorm: "layernorm_after",
      }),
    ),
    norm("finalNorm", "layernorm", C, { bias: true }),
  ];
}

/** Writes the fields of a pooler. */
export const poolerFields = ({ embedDim, head }: VisionTransformerConfig): Record<string, unknown> =>
  head?.task === "pooler"
    ? { pooler_act: activationNames[head.activation ?? "tanh"], pooler_output_size: embedDim }
    : {};
