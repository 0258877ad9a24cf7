import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, headDim, partialRope, positive, rope, trait, requireValue } from "./config-entry.js";
import { embedding, llamaSizes } from "./llama-parts.js";
import { each, linear, norm } from "./stored-tensor.js";

/** Phi 1, 1.5 and 2: attention and MLP in parallel after one layer norm; biases everywhere, also in the output projection. */
export const phi: Architecture = {
  modelTypes: ["phi"],
  class: "PhiForCausalLM",
  config: () => [
    ...llamaSizes(),
    positive("normEps", "layer_norm_eps", 1e-5),
    activation("hidden_act", "gelu_new"),
    rope(),
    partialRope("partial_rotary_factor", 0.5),
    requireValue("qk_layernorm", false),
    trait({
      norm: "layer",
      gated: false,
      placement: "parallelShared",
      bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  ],
  gguf: () => [
    gguf("phi2", {
      partialRotary: true,
      traits: { norm: "layer", activation: "geluTanh", gated: false, placement: "parallelShared" },
      biases: { norms: true, queryKeyValue: true, attentionOutput: true, feedForward: true, output: true },
      output: "separate",
    }),
  ],
  tensors(config, tied) {
    const { vocabSize: V, embedDim: C, hiddenDim: F, numHeads: H, numKvHeads: Hkv, numLayers } = config;
    const D = headDim(config);
    return [
      embedding(config),
      each(numLayers, "layers", "model.layers", () => [
        norm("attentionNorm", "input_layernorm", C),
        linear("attention.query", "self_attn.q_proj", [H * D, C]),
        linear("attention.key", "self_attn.k_proj", [Hkv * D, C]),
        linear("attention.value", "self_attn.v_proj", [Hkv * D, C]),
        linear("attention.output", "self_attn.dense", [C, H * D]),
        linear("feedForward.up", "mlp.fc1", [F, C]),
        linear("feedForward.down", "mlp.fc2", [C, F]),
      ]),
      norm("norm", "model.final_layernorm", C),
      ...(tied ? [] : [linear("output", "lm_head", [V, C])]),
    ];
  },
  ignored: "embd_pdrop resid_pdrop",
};
