import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, rope } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Seed-OSS: Llama with biases of queries, keys and values. */
export const seedOss: Architecture = {
  modelTypes: ["seed_oss"],
  class: "SeedOssForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue"], true),
    bias("attention_out_bias", ["attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
  ],
  gguf: () => [
    gguf("seed_oss", {
      freeHeads: true,
      biases: { queryKeyValue: "either" },
      // llama.cpp names the norm before the feed-forward layer like a norm after attention.
      names: { norms: { attentionNorm: "attn_norm", feedForwardNorm: "post_attention_norm" } },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
  ignored: "residual_dropout",
};
