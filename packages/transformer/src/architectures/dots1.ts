import type { Architecture } from "./architecture.js";
import { refuseGroupedQuery, gguf } from "./gguf/gguf-architecture.js";
import { ggufGroups } from "./gguf/gguf-experts.js";
import { activation, bias, rope, slidingLayers, trait, requireValue } from "./config-entry.js";
import { deepSeekExperts, feedForwardOrExperts } from "./expert-parts.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** dots.llm1: DeepSeek V3's experts, and norms of queries and keys. */
export const dots1: Architecture = {
  modelTypes: ["dots1"],
  class: "Dots1ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    slidingLayers((i, fields) => (i >= fields.countOr(62, "max_window_layers") ? "sliding" : "full")),
    ...deepSeekExperts({ normalized: false, scale: 1, groups: { count: 1, chosen: 1 }, dense: 0 }),
    requireValue("moe_layer_freq", 1),
    requireValue("scoring_func", "noaux_tc"),
    trait({ qkNorm: true }),
  ],
  gguf: () => [
    gguf("dots1", {
      freeHeads: true,
      traits: { qkNorm: true },
      keys: ggufGroups,
      output: "separate",
      refuses: refuseGroupedQuery,
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed: feedForwardOrExperts() }),
  ignored: "max_window_layers",
};
