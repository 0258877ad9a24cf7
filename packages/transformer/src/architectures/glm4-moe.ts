import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufGroups } from "./gguf/gguf-experts.js";
import { activation, bias, partialRope, rope, type ConfigEntry } from "./config-entry.js";
import { deepSeekExperts, feedForwardOrExperts } from "./expert-parts.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

const queryKeyNorms: ConfigEntry = {
  read: (fields) => (fields.flag("use_qk_norm", false) ? { qkNorm: true } : {}),
  write: ({ qkNorm }) => ({ use_qk_norm: qkNorm === true }),
};

/** GLM 4.5 and later: DeepSeek V3's experts, RoPE on half of each head. */
export const glm4Moe: Architecture = {
  modelTypes: ["glm4_moe"],
  class: "Glm4MoeForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    partialRope("partial_rotary_factor", 0.5),
    bias("attention_bias", ["queryKeyValue"]),
    queryKeyNorms,
    ...deepSeekExperts({ normalized: true, scale: 1, groups: { count: 1, chosen: 1 }, dense: 1 }),
  ],
  gguf: () => [
    gguf("glm4moe", {
      freeHeads: true,
      partialRotary: true,
      keys: ggufGroups,
      names: { norms: { attentionNorm: "attn_norm", feedForwardNorm: "post_attention_norm" } },
      biases: { queryKeyValue: "either" },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed: feedForwardOrExperts() }),
  ignored: "num_nextn_predict_layers",
  // Multi-token prediction (MTP) layers, which inference does not use.
  ignoredTensors: ({ numLayers }) => new RegExp(`layers\\.${numLayers}\\.`),
};
