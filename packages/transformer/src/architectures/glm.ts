import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, partialRope, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** GLM: interleaved RoPE on half of each head. */
export const glm: Architecture = {
  modelTypes: ["glm"],
  class: "GlmForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1.5625e-7),
    activation(),
    rope(),
    partialRope("partial_rotary_factor", 0.5),
    bias("attention_bias", ["queryKeyValue"]),
    trait({ ropeLayout: "interleaved" }),
  ],
  gguf: () => [
    gguf("chatglm", {
      partialRotary: true,
      ropeLayout: "interleaved",
      names: { fusedGate: true },
      biases: { queryKeyValue: "either" },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { gateUp: "gate_up_proj" }),
};
