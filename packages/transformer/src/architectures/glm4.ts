import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { glm } from "./glm.js";
import { trait } from "./config-entry.js";
import { llamaTensors } from "./llama-parts.js";

/** GLM 4: GLM with norms before and after attention and MLP. */
export const glm4: Architecture = {
  ...glm,
  modelTypes: ["glm4"],
  class: "Glm4ForCausalLM",
  config: () => [...glm.config(), trait({ placement: "both" })],
  gguf: () => [
    gguf("glm4", {
      freeHeads: true,
      partialRotary: true,
      ropeLayout: "interleaved",
      traits: { placement: "both" },
      names: { fusedGate: true },
      biases: { queryKeyValue: "either" },
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      norms: {
        attentionNorm: "input_layernorm",
        attentionOutNorm: "post_self_attn_layernorm",
        feedForwardNorm: "post_attention_layernorm",
        feedForwardOutNorm: "post_mlp_layernorm",
      },
      gateUp: "gate_up_proj",
    }),
};
