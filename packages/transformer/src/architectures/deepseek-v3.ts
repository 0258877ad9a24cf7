import type { Architecture } from "./architecture.js";
import { activation, bias, rope, requireValue, type ConfigEntry } from "./config-entry.js";
import { deepSeekExperts, feedForwardOrExperts, type GroupDefaults } from "./expert-parts.js";
import { deepseek2 } from "./deepseek-v2.js";
import { interleavedPairs, latentProjections, latentSizes, scaledScores } from "./latent-parts.js";
import { llamaTensors, rmsEps } from "./llama-parts.js";

const deepseekDefaults: GroupDefaults = {
  normalized: true,
  scale: 2.5,
  groups: { count: 8, chosen: 4 },
  dense: 3,
};

/** Entries of DeepSeek V3's configuration. `pairs`: the entry for the rotary layout. */
export const deepseekEntries = (
  pairs: ConfigEntry,
  { eps = 1e-6, experts = deepseekDefaults } = {},
): readonly ConfigEntry[] => [
  ...latentSizes(),
  rmsEps(eps),
  activation(),
  rope(),
  pairs,
  scaledScores,
  bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
  ...deepSeekExperts(experts),
  requireValue("moe_layer_freq", 1),
  requireValue("scoring_func", "sigmoid"),
  requireValue("topk_method", "noaux_tc"),
];

/** Names of multi-token prediction (MTP) layers, which inference does not use. */
export const mtpTensors: NonNullable<Architecture["ignoredTensors"]> = ({ numLayers }) =>
  new RegExp(`layers\\.${numLayers}\\.`);

/** DeepSeek V3 and Kimi K2: multi-head latent attention (MLA), a sigmoid router with a correction bias and group-limited routing, and shared experts. */
export const deepseekV3: Architecture = {
  modelTypes: ["deepseek_v3", "kimi_k2"],
  class: "DeepseekV3ForCausalLM",
  config: () => deepseekEntries(interleavedPairs(true)),
  gguf: deepseek2,
  tensors: (config, tied) =>
    llamaTensors(config, tied, { attention: latentProjections, feed: feedForwardOrExperts() }),
  ignored: "head_dim num_nextn_predict_layers ep_size aux_loss_alpha seq_aux auto_map",
  ignoredTensors: mtpTensors,
};
