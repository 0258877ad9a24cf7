import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { scaleKey } from "./gguf/gguf-keys.js";
import { activation, bias, factor, positive, rope, trait, requireValue } from "./config-entry.js";
import { llamaSizes, llamaTensors } from "./llama-parts.js";

/** Cohere's Command R: attention and MLP in parallel after one layer norm, and scaled logits. */
export const cohere: Architecture = {
  modelTypes: ["cohere"],
  class: "CohereForCausalLM",
  config: () => [
    ...llamaSizes(),
    positive("normEps", "layer_norm_eps", 1e-5),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    factor("logitScale", "logit_scale", undefined, undefined, 0.0625),
    requireValue("use_qk_norm", false),
    trait({ norm: "layer", placement: "parallelShared", ropeLayout: "interleaved" }),
  ],
  gguf: () => [
    gguf("command-r", {
      ropeLayout: "interleaved",
      traits: { norm: "layer", placement: "parallelShared" },
      keys: [scaleKey("logitScale", "logit_scale", { always: true })],
      output: "tied",
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { norms: { attentionNorm: "input_layernorm" } }),
  tied: true,
};
