import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** ERNIE 4.5: Llama with interleaved RoPE. */
export const ernie45: Architecture = {
  modelTypes: ["ernie4_5"],
  class: "Ernie4_5ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope({ base: 500_000 }),
    bias("use_bias", ["queryKeyValue", "attentionOutput", "feedForward"]),
    trait({ ropeLayout: "interleaved" }),
  ],
  gguf: () => [
    gguf("ernie4_5", {
      freeHeads: true,
      ropeLayout: "interleaved",
      biases: { queryKeyValue: "either", attentionOutput: "either" },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
  tied: true,
};
