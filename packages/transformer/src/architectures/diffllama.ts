import type { Architecture } from "./architecture.js";
import { activation, bias, headDim, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { stored, under } from "./stored-tensor.js";

/** DiffLlama: Llama with differential attention. */
export const diffllama: Architecture = {
  modelTypes: ["diffllama"],
  class: "DiffLlamaForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    trait({ differential: true }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      more: () => [
        under(
          "attention.differential",
          "self_attn",
          ["Q1", "K1", "Q2", "K2"].map((input) =>
            stored(`lambda${input}`, `lambda_${input.toLowerCase()}`, [headDim(config)]),
          ),
        ),
      ],
    }),
  ignored: "lambda_std_dev",
};
