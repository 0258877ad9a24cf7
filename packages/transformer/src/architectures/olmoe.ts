import type { Architecture } from "./architecture.js";
import { refuseGroupedQuery, gguf } from "./gguf/gguf-architecture.js";
import { ggufExperts, ggufTopKNormalization } from "./gguf/gguf-experts.js";
import { activation, bias, rope, trait, requireValue } from "./config-entry.js";
import { expertCounts, feedForwardOrExperts, topKNormalization } from "./expert-parts.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** OLMoE: experts in all layers, and norms of queries and keys over all heads. */
export const olmoe: Architecture = {
  modelTypes: ["olmoe"],
  class: "OlmoeForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    requireValue("clip_qkv", null),
    expertCounts("num_experts"),
    topKNormalization(false),
    trait({ qkNorm: "heads" }),
  ],
  gguf: () => [
    gguf("olmoe", {
      traits: { qkNorm: "heads" },
      keys: [ggufExperts, ggufTopKNormalization(false)],
      output: "separate",
      refuses: refuseGroupedQuery,
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed: feedForwardOrExperts() }),
};
