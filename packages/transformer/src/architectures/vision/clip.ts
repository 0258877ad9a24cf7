import type { DualEncoderConfig } from "../../models/dual-encoder.js";
import type { VisionTransformerConfig } from "../../models/vision-transformer.js";
import type { ConfigFields } from "../config-fields.js";
import { linear, norm, reshaped, stored, under, type StoredTensor } from "../stored-tensor.js";
import type { DualEncoderArchitecture, VisionArchitecture } from "./vision-architecture.js";
import {
  dualEncoderLayers,
  encoderFields,
  visionIgnored,
  patchTensors,
  positionCount,
  textEncoder,
  textFields,
  textTensors,
  visionFields,
  visionSizes,
} from "./vision-parts.js";

const clipIgnored = "model_type text_config_dict vision_config_dict logit_scale_init_value projection_dim";

/** CLIP: a causal text encoder, an image encoder with a class token and a norm before the first layer, and projections of both to a shared space. */
export const clip: DualEncoderArchitecture = {
  modelTypes: ["clip"],
  read(fields) {
    const textConfig = encoderFields(fields, "text_config").withDefaults({
      ...{ vocab_size: 49408, hidden_size: 512, intermediate_size: 2048, max_position_embeddings: 77 },
      ...{ num_hidden_layers: 12, num_attention_heads: 8, hidden_act: "quick_gelu", layer_norm_eps: 1e-5 },
    });
    const text = { ...textEncoder(textConfig), causal: true };
    const endId = textConfig.number("eos_token_id", 49407);
    const vision = visionConfig(encoderFields(fields, "vision_config"));
    const P = fields.countOr(512, "projection_dim");
    const config: DualEncoderConfig = {
      text,
      vision,
      projectionDim: P,
      // In files with `eos_token_id` 2, the end token is the one with the largest id.
      textPooling: endId === 2 ? "largestId" : endId,
    };
    return {
      config,
      tensors: [
        under("text", "text_model", textTensors(text)),
        under("vision", "vision_model", visionTensors(vision)),
        linear("textProjection", "text_projection", [P, text.embedDim]),
        linear("visionProjection", "visual_projection", [P, vision.embedDim]),
        reshaped("logitScale", "logit_scale", { stored: [], inParams: [1] }),
      ],
    };
  },
  write: ({ text, vision, projectionDim, textPooling }) => ({
    projection_dim: projectionDim,
    text_config: {
      ...textFields(text),
      model_type: "clip_text_model",
      eos_token_id: textPooling === "largestId" ? 2 : textPooling,
    },
    vision_config: { ...visionFields(vision), model_type: "clip_vision_model" },
  }),
  ignored: [visionIgnored, clipIgnored],
  ignoredTensors: /position_ids$/,
};

/** The image encoder of CLIP. */
export const clipVision: VisionArchitecture = {
  modelTypes: ["clip_vision_model", "clip"],
  classes: { model: "CLIPVisionModel", image: "CLIPForImageClassification" },
  barePath: "vision_model.",
  prefixes: ["vision_model."],
  first: "embeddings.class_embedding",
  read(fields) {
    const config = visionConfig(
      fields.has("vision_config") ? encoderFields(fields, "vision_config") : fields,
    );
    return { config, tensors: visionTensors(config) };
  },
  write: (config) => visionFields(config),
  heads: () => ({ image: { output: "classifier", pooling: "patches" } }),
  ignored: [visionIgnored, clipIgnored, "text_config"],
  ignoredTensors: /position_ids$|^text_model\.|^(text|visual)_projection\.|^logit_scale$/,
};

function visionConfig(fileFields: ConfigFields): VisionTransformerConfig {
  const fields = fileFields.withDefaults({
    ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
    ...{ layer_norm_eps: 1e-5, image_size: 224, patch_size: 32, num_channels: 3, hidden_act: "quick_gelu" },
  });
  return {
    ...visionSizes(fields),
    hiddenDim: fields.count("intermediate_size"),
    patchBias: false,
    embeddingNorm: true,
    finalNorm: "pooled",
  };
}

function visionTensors(config: VisionTransformerConfig): StoredTensor[] {
  const { embedDim: C } = config;
  return [
    ...patchTensors(config, "embeddings.patch_embedding"),
    stored("classToken.weight", "embeddings.class_embedding", [C]),
    stored("positions.weight", "embeddings.position_embedding.weight", [positionCount(config), C]),
    norm("embeddingNorm", "pre_layrnorm", C, { bias: true }), // the name in transformers has this typo
    dualEncoderLayers(config),
    norm("finalNorm", "post_layernorm", C, { bias: true }),
  ];
}
