import { fusedPerHead } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import {
  activation,
  bias,
  count,
  headDim,
  multiHead,
  partialRope,
  positive,
  rope,
  trait,
  type ConfigEntry,
} from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { each, fused, linear, norm } from "./stored-tensor.js";

/** Attention and MLP in parallel, or sequential. */
const parallelResidual: ConfigEntry = {
  read: (fields) => (fields.flag("use_parallel_residual", true) ? { placement: "parallel" } : {}),
  write: ({ placement }) => ({ use_parallel_residual: placement === "parallel" }),
};

/** GPT-NeoX and Pythia: layer norms, parallel attention and MLP, RoPE on a quarter of each head. */
export const gptNeox: Architecture = {
  modelTypes: ["gpt_neox"],
  class: "GPTNeoXForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("hiddenDim", "intermediate_size"),
    count("numLayers", "num_hidden_layers"),
    count("numHeads", "num_attention_heads"),
    multiHead,
    count("contextLength", "max_position_embeddings"),
    positive("normEps", "layer_norm_eps", 1e-5),
    activation("hidden_act", "gelu"),
    {
      read: (fields) => {
        const base = fields.positiveOr(10000, "rotary_emb_base");
        return rope({ base }).read(fields, {});
      },
      write: rope().write,
    },
    {
      read: (fields, config) =>
        partialRope("partial_rotary_factor", fields.positive("rotary_pct", 0.25)).read(fields, config),
      write: partialRope().write,
    },
    parallelResidual,
    bias("attention_bias", ["queryKeyValue", "attentionOutput"], true),
    { read: (_, { bias }) => ({ bias: { ...bias, feedForward: true } }), write: () => ({}) },
    trait({ norm: "layer", gated: false }),
  ],
  gguf: () => [
    gguf("gptneox", {
      partialRotary: true,
      traits: { norm: "layer", activation: "gelu", gated: false },
      keys: [parallelResidual],
      names: { fusedAttention: true },
      biases: { norms: true, queryKeyValue: true, attentionOutput: true, feedForward: true },
      output: "separate",
    }),
  ],
  tensors(config, tied) {
    const { embedDim: C, hiddenDim: F, numHeads, numLayers } = config;
    const map = fusedPerHead({ numHeads, headDim: headDim(config) });
    const maps = ["attention.query", "attention.key", "attention.value"];
    return [
      embedding(config, "gpt_neox.embed_in.weight"),
      each(numLayers, "layers", "gpt_neox.layers", () => [
        norm("attentionNorm", "input_layernorm", C),
        norm("feedForwardNorm", "post_attention_layernorm", C),
        fused(maps, "attention.query_key_value", map, C),
        linear("attention.output", "attention.dense", [C, C]),
        linear("feedForward.up", "mlp.dense_h_to_4h", [F, C]),
        linear("feedForward.down", "mlp.dense_4h_to_h", [C, F]),
      ]),
      norm("norm", "gpt_neox.final_layer_norm", C),
      ...(tied ? [] : [head(config, "embed_out.weight")]),
    ];
  },
  ignored: "hidden_dropout classifier_dropout",
  ignoredTensors: /attention\.(masked_)?bias$/,
};
