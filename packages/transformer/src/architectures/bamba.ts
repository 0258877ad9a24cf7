import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, bias, partialRope, rope, requireValue, type ConfigEntry } from "./config-entry.js";
import { ggufGraniteHybrid } from "./granite-moe-hybrid.js";
import { attentionProjections, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { hybridNames, mamba2Fields, mamba2Layer, mamba2Tensors } from "./mamba2-parts.js";
import { isMixer, mixerConfig } from "./mixed-layers.js";

/** `attn_layer_indices`: the layers with attention; the others are Mamba-2. */
const layers: ConfigEntry = {
  read(fields, { embedDim = 1, numLayers = 0, normEps = 1e-5 }) {
    const attentionLayers = fields.list("attn_layer_indices") ?? [];
    const isLayer = (i: unknown) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < numLayers;
    if (!attentionLayers.every(isLayer))
      return fields.refuse("attn_layer_indices", `indices of the ${numLayers} layers`);
    const mixer = mamba2Layer(fields, hybridNames, { embedDim, normEps, outputNorm: "whole" });
    const types = Array.from({ length: numLayers }, (_, i) => (attentionLayers.includes(i) ? "full" : mixer));
    return { layerTypes: types as NonNullable<DecoderConfig["layerTypes"]> };
  },
  write: (config) => ({
    ...mamba2Fields(mixerConfig(config), hybridNames),
    attn_layer_indices: Array.from({ length: config.numLayers }, (_, i) => i).filter(
      (i) => !isMixer(config.layerTypes?.[i]),
    ),
  }),
};

/** Names of norms and feed-forward layers in Bamba and Jamba. */
export const jambaTensorNames = {
  norms: { attentionNorm: "input_layernorm", feedForwardNorm: "pre_ff_layernorm" },
  lastNorm: "model.final_layernorm",
  feedForward: "feed_forward",
} as const;

/** Bamba: Mamba-2, and attention in a few layers, with RoPE on half of each head. */
export const bamba: Architecture = {
  modelTypes: ["bamba"],
  class: "BambaForCausalLM",
  defaults: { num_key_value_heads: 8, max_position_embeddings: 262144 },
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    requireValue("hidden_act", "silu"),
    rope(),
    partialRope("partial_rotary_factor", 0.5),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
    layers,
  ],
  gguf: ggufGraniteHybrid,
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      ...jambaTensorNames,
      attention: (config, layer) =>
        isMixer(config.layerTypes?.[layer])
          ? [mamba2Tensors(mixerConfig(config)!, ["attention", "mamba"])]
          : attentionProjections(config),
    }),
  ignored:
    "mamba_expand mamba_chunk_size num_logits_to_keep time_step_min time_step_max time_step_floor z_loss_coefficient",
};
