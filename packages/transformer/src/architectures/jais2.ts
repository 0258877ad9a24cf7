import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, positive, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors } from "./llama-parts.js";

/** Jais 2: Llama with layer norms, biases, and an ungated MLP with squared ReLU. */
export const jais2: Architecture = {
  modelTypes: ["jais2"],
  class: "Jais2ForCausalLM",
  config: () => [
    ...llamaSizes(),
    positive("normEps", "layer_norm_eps", 1e-5),
    activation("hidden_act", "relu2"),
    rope({ base: 500_000 }),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"], true),
    bias("mlp_bias", ["feedForward"], true),
    trait({ norm: "layer", gated: false }),
  ],
  gguf: () => [
    gguf("jais2", {
      freeHeads: true,
      traits: { norm: "layer", activation: "reluSquared", gated: false },
      biases: { norms: true, queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
  // A duplicate of `layer_norm_eps`.
  ignored: "rms_norm_eps",
};
