import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import {
  ggufEqualWidth,
  ggufScores,
  ggufTopKNormalization,
  ggufSigmoidBias,
  ggufWideExperts,
} from "./gguf/gguf-experts.js";
import {
  activation,
  headDim,
  partialRope,
  rope,
  trait,
  requireValue,
  type ConfigEntry,
} from "./config-entry.js";
import { expertCounts, feedForwardOrExperts, sigmoidScores } from "./expert-parts.js";
import { layerValues } from "./layer-lists.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Rotated dimensions of a head: their number, or the fraction of the head, which takes precedence. */
const rotaryDim: ConfigEntry = {
  read(fields, config) {
    const name = "partial_rotary_factor";
    const size = headDim(config);
    const dim = fields.countOr(size, "rotary_dim");
    if (dim > size || dim % 2 !== 0) return fields.refuse("rotary_dim", `an even number, at most ${size}`);
    const shared = fields.has(name) || fields.nested("rope_parameters")?.has(name);
    if (shared) return partialRope(name).read(fields, config);
    return dim === size ? {} : { ropeDim: dim };
  },
  write: (config) => ({
    rotary_dim: config.ropeDim ?? headDim(config),
    ...partialRope().write(config),
  }),
};

/** `attn_type_list`: all layers must have softmax attention. */
const attendingLayers: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    layerValues(fields, "attn_type_list", numLayers, [1]); // 1: softmax attention
    return {};
  },
  write: () => ({}),
};

/** MiniMax M2: softmax attention in all layers, norms of queries and keys over all heads, a sigmoid router with a correction bias. */
export const miniMaxM2: Architecture = {
  modelTypes: ["minimax_m2"],
  class: "MiniMaxM2ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    rope({ base: 5000000 }),
    rotaryDim,
    trait({ qkNorm: "heads" }),
    expertCounts("num_local_experts"),
    sigmoidScores,
    attendingLayers,
    requireValue("use_qk_norm", true),
    requireValue("qk_norm_type", "per_layer"),
    requireValue("use_routing_bias", true),
    requireValue("scoring_func", "sigmoid"),
    requireValue("shared_intermediate_size", 0),
    requireValue("attention_bias", false),
    requireValue("layernorm_full_attention_beta", 1),
    requireValue("layernorm_linear_attention_beta", 1),
    requireValue("layernorm_mlp_beta", 1),
  ],
  gguf: () => [
    gguf("minimax-m2", {
      freeHeads: true,
      partialRotary: true,
      traits: { qkNorm: "heads" },
      keys: [ggufWideExperts, ggufEqualWidth, ggufScores, ggufSigmoidBias, ggufTopKNormalization(true)],
      output: "separate",
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      feed: feedForwardOrExperts({
        path: "block_sparse_moe",
        choiceBias: "e_score_correction_bias",
        maps: { gate: "w1", up: "w3", down: "w2" },
      }),
    }),
  ignored:
    "router_jitter_noise mlp_intermediate_size use_mtp num_mtp_modules mtp_transformer_layers auto_map",
  // Multi-token prediction (MTP) layers, which inference does not use.
  ignoredTensors: ({ numLayers }) => new RegExp(`layers\\.${numLayers}\\.`),
};
