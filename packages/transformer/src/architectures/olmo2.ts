import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { slidingBase, slidingPeriods } from "./gguf/gguf-keys.js";
import { activation, bias, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, outNorms, rmsEps } from "./llama-parts.js";

/** OLMo 2: norms after each sublayer only, and norms of queries and keys over all heads. */
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
  gguf: () => [
    gguf("olmo2", {
      traits: { placement: "after", qkNorm: "heads" },
      keys: [slidingPeriods(4, true), slidingBase],
      output: "separate",
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { norms: outNorms }),
};
