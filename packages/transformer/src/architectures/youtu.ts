import type { Architecture } from "./architecture.js";
import { activation, bias, rope } from "./config-entry.js";
import { interleavedPairs, latentProjections, latentSizes, scaledScores } from "./latent-parts.js";
import { llamaTensors, rmsEps } from "./llama-parts.js";

/** Youtu-LLM: Llama with multi-head latent attention (MLA). */
export const youtu: Architecture = {
  modelTypes: ["youtu"],
  class: "YoutuForCausalLM",
  config: () => [
    ...latentSizes(),
    rmsEps(),
    activation(),
    rope(),
    interleavedPairs(true),
    scaledScores,
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { attention: latentProjections }),
  tied: true,
  ignored: "head_dim embedding_initializer_range",
};
