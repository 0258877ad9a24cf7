import type { DualEncoderConfig } from "../../models/dual-encoder.js";
import type { VisionTransformerConfig } from "../../models/vision-transformer.js";
import type { ConfigFields } from "../config-fields.js";
import { linear, norm, parts, reshaped, stored, under, type StoredTensor } from "../stored-tensor.js";
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

const siglipIgnored = "model_type eos_token_id";

/** SigLIP: a bidirectional text encoder, attention pooling of images, and sigmoid probabilities of pairs. */
export const siglip: DualEncoderArchitecture = {
  modelTypes: ["siglip"],
  read(fields) {
    const textConfig = encoderFields(fields, "text_config").withDefaults({
      ...{ vocab_size: 32000, hidden_size: 768, intermediate_size: 3072, max_position_embeddings: 64 },
      ...{
        num_hidden_layers: 12,
        num_attention_heads: 12,
        hidden_act: "gelu_pytorch_tanh",
        layer_norm_eps: 1e-6,
      },
    });
    const text = textEncoder(textConfig);
    const vision = visionConfig(encoderFields(fields, "vision_config"));
    const P = textConfig.countOr(text.embedDim, "projection_size");
    const config: DualEncoderConfig = {
      text,
      vision,
      projectionDim: P,
      textPooling: "last",
      visionProjection: false,
      scores: "sigmoid",
    };
    return {
      config,
      tensors: [
        under("text", "text_model", textTensors(text)),
        under("vision", "vision_model", visionTensors(vision)),
        linear("textProjection", "text_model.head", [P, text.embedDim], { bias: true }),
        stored("logitScale", "logit_scale", [1]),
        stored("logitBias", "logit_bias", [1]),
      ],
    };
  },
  write: ({ text, vision, projectionDim }) => ({
    text_config: { ...textFields(text), model_type: "siglip_text_model", projection_size: projectionDim },
    vision_config: { ...visionFields(vision), model_type: "siglip_vision_model" },
  }),
  ignored: [visionIgnored, siglipIgnored],
  ignoredTensors: /position_ids$/,
};

/** The image encoder of SigLIP. */
export const siglipVision: VisionArchitecture = {
  modelTypes: ["siglip_vision_model", "siglip"],
  classes: { model: "SiglipVisionModel", image: "SiglipForImageClassification" },
  barePath: "vision_model.",
  prefixes: ["vision_model."],
  first: "embeddings.patch_embedding.weight",
  read(fields) {
    const inner = fields.has("vision_config") ? encoderFields(fields, "vision_config") : fields;
    const config = visionConfig(inner);
    return { config, tensors: visionTensors(config) };
  },
  write: (config) => visionFields(config),
  heads: () => ({ image: { output: "classifier", pooling: "mean" } }),
  ignored: [visionIgnored, siglipIgnored, "text_config"],
  ignoredTensors: /position_ids$|^text_model\.|^logit_(scale|bias)$/,
};

function visionConfig(fileFields: ConfigFields): VisionTransformerConfig {
  fileFields.mustBe("vision_use_head", true);
  const fields = fileFields.withDefaults({
    ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
    ...{
      layer_norm_eps: 1e-6,
      image_size: 224,
      patch_size: 16,
      num_channels: 3,
      hidden_act: "gelu_pytorch_tanh",
    },
  });
  return {
    ...visionSizes(fields),
    hiddenDim: fields.count("intermediate_size"),
    classToken: false,
    pooling: "attention",
  };
}

function visionTensors(config: VisionTransformerConfig): StoredTensor[] {
  const { embedDim: C, hiddenDim: F } = config;
  const biased = { bias: true };
  const maps = ["query", "key", "value"] as const;
  const paramPaths = (kind: "weight" | "bias") => maps.map((map) => `attention.${map}.${kind}`);
  return [
    ...patchTensors(config, "embeddings.patch_embedding"),
    stored("positions.weight", "embeddings.position_embedding.weight", [positionCount(config), C]),
    dualEncoderLayers(config),
    norm("finalNorm", "post_layernorm", C, biased),
    under("pooling", "head", [
      reshaped("query.weight", "probe", { stored: [1, 1, C], inParams: [C] }),
      parts(paramPaths("weight"), "attention.in_proj_weight", [C, C, C], [C]),
      parts(paramPaths("bias"), "attention.in_proj_bias", [C, C, C]),
      linear("attention.output", "attention.out_proj", [C, C], biased),
      norm("norm", "layernorm", C, biased),
      linear("feedForward.up", "mlp.fc1", [F, C], biased),
      linear("feedForward.down", "mlp.fc2", [C, F], biased),
    ]),
  ];
}
