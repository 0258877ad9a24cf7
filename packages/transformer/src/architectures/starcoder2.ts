import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, positive, rope, slidingLayers, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors } from "./llama-parts.js";

/** StarCoder 2: layer norms, an ungated MLP, biases, and a sliding window in all layers. */
export const starcoder2: Architecture = {
  modelTypes: ["starcoder2"],
  class: "Starcoder2ForCausalLM",
  config: () => [
    ...llamaSizes(),
    positive("normEps", "norm_epsilon", 1e-5),
    activation("hidden_act", "gelu_pytorch_tanh"),
    rope(),
    bias("use_bias", ["queryKeyValue", "attentionOutput", "feedForward"], true),
    slidingLayers(() => "sliding"),
    trait({ norm: "layer", gated: false }),
  ],
  gguf: () => [
    gguf("starcoder2", {
      traits: { norm: "layer", activation: "geluTanh", gated: false },
      biases: { norms: true, queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { maps: { up: "c_fc", down: "c_proj" } }),
  tied: true,
  ignored: "residual_dropout embedding_dropout norm_type mlp_type layer_types",
};
