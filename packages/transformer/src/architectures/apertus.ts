import type { Architecture } from "./architecture.js";
import { activation, always, bias, rope, trait, without } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { stored, under } from "./stored-tensor.js";

/** Apertus: norms of queries and keys, and xIELU, an activation that learns, in place of a gate. */
export const apertus: Architecture = {
  modelTypes: ["apertus"],
  class: "ApertusForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation("hidden_act", "xielu"),
    rope({ base: 12e6 }),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    without("mlp_bias"),
    without("post_norm"),
    always("qk_norm", true),
    trait({ gated: false, qkNorm: true }),
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
