import type { Architecture } from "./architecture.js";
import { activation, bias, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, outNorms, rmsEps } from "./llama-parts.js";

/** OLMo 2: norms of what attention and MLP add, and of queries and keys over all heads. */
export const olmo2: Architecture = {
  modelTypes: ["olmo2"],
  class: "Olmo2ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    trait({ placement: "after", qkNorm: "heads" }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { norms: outNorms }),
};
