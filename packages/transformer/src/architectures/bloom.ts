import { fusedPerHead } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { count, headDim, multiHead, positive, trait, requireValue } from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { each, fused, linear, norm } from "./stored-tensor.js";

/** BLOOM: ALiBi, layer norms, and a layer norm after the embeddings. */
export const bloom: Architecture = {
  modelTypes: ["bloom"],
  class: "BloomForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", ["hidden_size", "n_embed"]),
    {
      read: (_, { embedDim = 0 }) => ({ hiddenDim: 4 * embedDim }),
      write: () => ({}),
    },
    count("numLayers", ["n_layer", "num_hidden_layers"]),
    count("numHeads", ["n_head", "num_attention_heads"]),
    multiHead,
    // ALiBi has no maximum length; the published models were trained with this one.
    count("contextLength", "seq_length", 2048),
    positive("normEps", "layer_norm_epsilon", 1e-5),
    requireValue("apply_residual_connection_post_layernorm", false),
    trait({
      norm: "layer",
      activation: "geluTanh",
      gated: false,
      positions: "alibi",
      embeddingNorm: true,
      bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  ],
  gguf: () => [
    gguf("bloom", {
      traits: {
        norm: "layer",
        activation: "geluTanh",
        gated: false,
        positions: "alibi",
        embeddingNorm: true,
      },
      names: { fusedAttention: true },
      biases: { norms: true, queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  ],
  tensors(config, tied) {
    const { embedDim: C, hiddenDim: F, numHeads, numLayers } = config;
    const map = fusedPerHead({ numHeads, headDim: headDim(config) });
    return [
      embedding(config, "transformer.word_embeddings.weight"),
      norm("embeddingNorm", "transformer.word_embeddings_layernorm", C),
      each(numLayers, "layers", "transformer.h", () => [
        norm("attentionNorm", "input_layernorm", C),
        fused(
          ["attention.query", "attention.key", "attention.value"],
          "self_attention.query_key_value",
          map,
          C,
        ),
        linear("attention.output", "self_attention.dense", [C, C]),
        norm("feedForwardNorm", "post_attention_layernorm", C),
        linear("feedForward.up", "mlp.dense_h_to_4h", [F, C]),
        linear("feedForward.down", "mlp.dense_4h_to_h", [C, F]),
      ]),
      norm("norm", "transformer.ln_f", C),
      ...(tied ? [] : [head(config)]),
    ];
  },
  tied: true,
  ignored:
    "hidden_dropout slow_but_exact masked_softmax_fusion bias_dropout_fusion skip_bias_add skip_bias_add_qkv unk_token_id offset_alibi n_inner",
};
