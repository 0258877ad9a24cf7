import { stacked } from "../../conversions/row-map.js";
import type { VisionTransformerConfig } from "../../models/vision-transformer.js";
import type { ConfigFields } from "../config-fields.js";
import { each, fused, linear, norm, reshaped, stored, type StoredTensor } from "../stored-tensor.js";
import type { VisionArchitecture } from "./vision-architecture.js";
import { visionIgnored, patchTensors, positionCount, visionFields, visionSizes } from "./vision-parts.js";

const dinov2Ignored = [
  visionIgnored,
  "qkv_bias layerscale_value use_mask_token apply_layernorm reshape_hidden_states",
  "out_features out_indices stage_names",
];

const dinov2IgnoredTensors = /mask_token$/;

/** DINOv2: ViT with LayerScale; its largest size has a gated feed-forward layer (SwiGLU). */
export const dinov2: VisionArchitecture = {
  modelTypes: ["dinov2"],
  classes: { model: "Dinov2Model", image: "Dinov2ForImageClassification" },
  barePath: "",
  prefixes: ["dinov2."],
  first: "embeddings.cls_token",
  read(fields) {
    const config = dinov2Config(fields.withDefaults({ patch_size: 14 }));
    return { config, tensors: dinov2Tensors(config) };
  },
  write: dinov2Fields,
  heads: dinov2Heads,
  ignored: dinov2Ignored,
  ignoredTensors: dinov2IgnoredTensors,
};

/** DINOv2 with register tokens: additional tokens that are not part of the output. */
export const dinov2WithRegisters: VisionArchitecture = {
  modelTypes: ["dinov2_with_registers"],
  classes: { model: "Dinov2WithRegistersModel", image: "Dinov2WithRegistersForImageClassification" },
  barePath: "",
  prefixes: ["dinov2_with_registers."],
  first: "embeddings.cls_token",
  read(fileFields) {
    const fields = fileFields.withDefaults({ patch_size: 16, num_register_tokens: 4 });
    fields.mustBe("interpolate_antialias", true);
    fields.mustBe("interpolate_offset", 0);
    const registers = fields.count("num_register_tokens");
    const config = { ...dinov2Config(fields), registers, antialiasPositions: true };
    return { config, tensors: dinov2Tensors(config) };
  },
  write: (config) => ({ ...dinov2Fields(config), num_register_tokens: config.registers }),
  heads: dinov2Heads,
  ignored: dinov2Ignored,
  ignoredTensors: dinov2IgnoredTensors,
};

function dinov2Heads(): ReturnType<VisionArchitecture["heads"]> {
  return { image: { output: "classifier", pooling: "cls+patches" } };
}

function dinov2Config(fileFields: ConfigFields): VisionTransformerConfig {
  const fields = fileFields.withDefaults({
    ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, mlp_ratio: 4 },
    ...{ layer_norm_eps: 1e-6, image_size: 224, num_channels: 3 },
  });
  const sizes = visionSizes(fields);
  const gated = fields.flag("use_swiglu_ffn", false);
  const mlpDim = Math.floor(sizes.embedDim * fields.positive("mlp_ratio"));
  return {
    ...sizes,
    hiddenDim: gated ? 8 * Math.floor((Math.floor((mlpDim * 2) / 3) + 7) / 8) : mlpDim,
    layerScale: true,
    ...(gated && { gated, activation: "silu" }),
  };
}

function dinov2Fields(config: VisionTransformerConfig): Record<string, unknown> {
  const { intermediate_size: _, ...fields } = visionFields(config);
  const { hiddenDim: F, embedDim: C, gated = false } = config;
  // The hidden width of SwiGLU layers is two thirds of embedDim · mlp_ratio, rounded up to a multiple of 8.
  return { ...fields, mlp_ratio: gated ? (F * 3) / (2 * C) : F / C, use_swiglu_ffn: gated, qkv_bias: true };
}

function dinov2Tensors(config: VisionTransformerConfig): StoredTensor[] {
  const { embedDim: C, registers: R } = config;
  const rows = positionCount(config);
  return [
    ...patchTensors(config, "embeddings.patch_embeddings.projection"),
    reshaped("classToken.weight", "embeddings.cls_token", { stored: [1, 1, C], inParams: [C] }),
    ...(R === undefined
      ? []
      : [
          reshaped("registers.weight", "embeddings.register_tokens", { stored: [1, R, C], inParams: [R, C] }),
        ]),
    reshaped("positions.weight", "embeddings.position_embeddings", {
      stored: [1, rows, C],
      inParams: [rows, C],
    }),
    each(config.numLayers, "layers", "encoder.layer", () => layer(config)),
    norm("finalNorm", "layernorm", C, { bias: true }),
  ];
}

function layer({ embedDim: C, hiddenDim: F, gated }: VisionTransformerConfig): StoredTensor[] {
  const biased = { bias: true };
  return [
    norm("attentionNorm", "norm1", C, biased),
    linear("attention.query", "attention.attention.query", [C, C]),
    linear("attention.key", "attention.attention.key", [C, C]),
    linear("attention.value", "attention.attention.value", [C, C]),
    linear("attention.output", "attention.output.dense", [C, C], biased),
    stored("attention.layerScale", "layer_scale1.lambda1", [C]),
    norm("feedForwardNorm", "norm2", C, biased),
    ...(gated
      ? [
          fused(["feedForward.gate", "feedForward.up"], "mlp.weights_in", stacked([F, F]), C, biased),
          linear("feedForward.down", "mlp.weights_out", [C, F], biased),
        ]
      : [
          linear("feedForward.up", "mlp.fc1", [F, C], biased),
          linear("feedForward.down", "mlp.fc2", [C, F], biased),
        ]),
    stored("feedForward.layerScale", "layer_scale2.lambda1", [C]),
  ];
}
