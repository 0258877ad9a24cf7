import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Arcee's AFM: Llama with an ungated MLP and squared ReLU. */
export const arcee: Architecture = {
  modelTypes: ["arcee"],
  class: "ArceeForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation("hidden_act", "relu2"),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
    trait({ gated: false }),
  ],
  gguf: () => [
    gguf("arcee", {
      freeHeads: true,
      ropeLayout: "interleaved",
      traits: { activation: "reluSquared", gated: false },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
};
