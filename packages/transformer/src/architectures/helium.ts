import type { Architecture } from "./architecture.js";
import { activation, bias, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Helium: Llama with interleaved RoPE. */
export const helium: Architecture = {
  modelTypes: ["helium"],
  class: "HeliumForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-8),
    activation(),
    rope({ base: 100_000 }),
    bias("attention_bias", ["queryKeyValue"]),
    bias("mlp_bias", ["feedForward"]),
    trait({ ropeLayout: "interleaved" }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
};
