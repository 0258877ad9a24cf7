import type { Architecture } from "./architecture.js";
import { activation, always, bias, rope, trait, requireValue } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { reshaped, stored, under } from "./stored-tensor.js";

/** llama.cpp's metadata keys for the parameters of xIELU. */
const xielu = {
  positive: "xielu.alpha_p",
  negative: "xielu.alpha_n",
  beta: "xielu.beta",
  eps: "xielu.eps",
} as const;

/** Apertus: norms of queries and keys, and an MLP without a gate whose activation is xIELU, which has learned parameters. */
export const apertus: Architecture = {
  modelTypes: ["apertus"],
  class: "ApertusForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation("hidden_act", "xielu"),
    rope({ base: 12e6 }),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    requireValue("mlp_bias", false),
    requireValue("post_norm", false),
    always("qk_norm", true),
    trait({ gated: false, qkNorm: true }),
  ],
  gguf: () => [
    gguf("apertus", {
      freeHeads: true,
      traits: { activation: "xielu", gated: false, qkNorm: true },
      layerNumbers: Object.values(xielu),
      names: {
        more: () => [
          under("feedForward.xielu", "", [
            stored("positive", xielu.positive, [1]),
            stored("negative", xielu.negative, [1]),
            reshaped("beta", xielu.beta, { stored: [1], inParams: [] }),
            reshaped("eps", xielu.eps, { stored: [1], inParams: [] }),
          ]),
        ],
      },
      biases: { attentionOutput: "either", queryKeyValue: "either" },
      output: "separate",
      scalings: ["linear", "yarn", "llama3"],
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      norms: { attentionNorm: "attention_layernorm", feedForwardNorm: "feedforward_layernorm" },
      more: ({ activation }) =>
        activation === "xielu"
          ? [
              under("feedForward.xielu", "mlp.act_fn", [
                stored("positive", "alpha_p", [1]),
                stored("negative", "alpha_n", [1]),
                stored("beta", "beta", []),
                stored("eps", "eps", []),
              ]),
            ]
          : [],
    }),
};
