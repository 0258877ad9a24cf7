import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, partialRope, positive, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors } from "./llama-parts.js";

/** Nemotron: layer norms whose gains are stored minus 1, an ungated MLP with squared ReLU, RoPE on half of each head. */
export const nemotron: Architecture = {
  modelTypes: ["nemotron"],
  class: "NemotronForCausalLM",
  config: () => [
    ...llamaSizes(),
    positive("normEps", "norm_eps", 1e-5),
    activation("hidden_act", "relu2"),
    rope(),
    partialRope("partial_rotary_factor", 0.5),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
    trait({ norm: "layer", gated: false }),
  ],
  gguf: () => [
    gguf("nemotron", {
      partialRotary: true,
      traits: { norm: "layer", activation: "reluSquared", gated: false },
      biases: { norms: true, queryKeyValue: "either", attentionOutput: "either", feedForward: "either" },
      output: "separate",
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { plus: 1 }),
};
