import type { Architecture } from "./architecture.js";
import { activation, bias, rope, trait } from "./config-entry.js";
import { expertCounts, feedForwardOrExperts, topKNormalization } from "./expert-parts.js";
import { llamaSizes, llamaTensors, outNorms, rmsEps } from "./llama-parts.js";

/** FlexOlmo: the norms of OLMo 2 and the experts of OLMoE. */
export const flexOlmo: Architecture = {
  modelTypes: ["flex_olmo"],
  class: "FlexOlmoForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    rope({ base: 500_000 }),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    expertCounts("num_experts"),
    topKNormalization(false),
    trait({ placement: "after", qkNorm: "heads" }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { norms: outNorms, feed: feedForwardOrExperts() }),
};
