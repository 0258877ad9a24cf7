import { fusedPerHead } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { activation, bias, count, headDim, positive, rope, type ConfigEntry } from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { each, fused, linear, norm } from "./stored-tensor.js";

/** Key-value heads: a field in the new decoder architecture; else 1 (multi-query) or as many as query heads. */
const keyValueHeads: ConfigEntry = {
  read(fields, { numHeads = 1 }) {
    const isNew = fields.flag("new_decoder_architecture", false);
    const fieldHeads = fields.countOr(numHeads, "num_kv_heads", "n_head_kv");
    const isMultiQuery = fields.flag("multi_query", true);
    if (isNew) return { numKvHeads: fieldHeads };
    return { numKvHeads: isMultiQuery ? 1 : numHeads };
  },
  write: ({ numKvHeads, numHeads }) => ({
    num_kv_heads: numKvHeads,
    multi_query: numKvHeads === 1,
    new_decoder_architecture: numKvHeads !== 1 && numKvHeads !== numHeads,
  }),
};

/** Attention and MLP in parallel, with one norm or two, or sequential. */
const placement: ConfigEntry = {
  read(fields) {
    const isNew = fields.flag("new_decoder_architecture", false);
    const norms = fields.countOr(isNew ? 2 : 1, "num_ln_in_parallel_attn");
    if (isNew || fields.flag("parallel_attn", true))
      return { placement: isNew && norms === 2 ? "parallel" : "parallelShared" };
    return {};
  },
  write: ({ placement }) => ({
    parallel_attn: placement !== "pre",
    ...(placement === "parallel" && { num_ln_in_parallel_attn: 2, new_decoder_architecture: true }),
    ...(placement === "parallelShared" && { num_ln_in_parallel_attn: 1 }),
  }),
};

/** ALiBi, which is added to dot products before scaling; without it, RoPE. With ALiBi, the rotary base is ignored. */
const positions: ConfigEntry = {
  read(fields, config) {
    const rotary = rope().read(fields, config);
    return fields.flag("alibi", false) ? { positions: "alibi", alibiScale: headDim(config) ** -0.5 } : rotary;
  },
  write: (config) =>
    config.positions === "alibi" ? { alibi: true } : { alibi: false, ...rope().write(config) },
};

/** Names of the norms of a layer, by norm placement. */
const normNames = ({ placement }: DecoderConfig) =>
  placement === "parallel"
    ? { attentionNorm: "ln_attn", feedForwardNorm: "ln_mlp" }
    : placement === "parallelShared"
      ? { attentionNorm: "input_layernorm" }
      : { attentionNorm: "input_layernorm", feedForwardNorm: "post_attention_layernorm" };

/** Falcon: layer norms, multi-query or grouped-query attention, RoPE or ALiBi. */
export const falcon: Architecture = {
  modelTypes: ["falcon"],
  class: "FalconForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("hiddenDim", "ffn_hidden_size", ({ embedDim = 0 }) => 4 * embedDim),
    count("numLayers", ["num_hidden_layers", "n_layer"]),
    count("numHeads", ["num_attention_heads", "n_head"]),
    keyValueHeads,
    count("contextLength", "max_position_embeddings", 2048),
    positive("normEps", "layer_norm_epsilon", 1e-5),
    activation("activation", "gelu"),
    placement,
    positions,
    bias("bias", ["queryKeyValue", "attentionOutput", "feedForward"]),
    { read: () => ({ norm: "layer", gated: false }), write: () => ({}) },
  ],
  gguf: () => [
    gguf("falcon", {
      traits: { norm: "layer", activation: "gelu", gated: false, placement: "parallelShared" },
      names: { fusedAttention: true },
      biases: { norms: true },
    }),
  ],
  tensors(config, tied) {
    const { embedDim: C, hiddenDim: F, numHeads, numKvHeads, numLayers } = config;
    const D = headDim(config);
    const map = fusedPerHead({ numHeads, numKvHeads, headDim: D });
    return [
      embedding(config, "transformer.word_embeddings.weight"),
      each(numLayers, "layers", "transformer.h", () => [
        ...Object.entries(normNames(config)).map(([param, name]) => norm(param, name, C)),
        fused(
          ["attention.query", "attention.key", "attention.value"],
          "self_attention.query_key_value",
          map,
          C,
        ),
        linear("attention.output", "self_attention.dense", [C, numHeads * D]),
        linear("feedForward.up", "mlp.dense_h_to_4h", [F, C]),
        linear("feedForward.down", "mlp.dense_4h_to_h", [C, F]),
      ]),
      norm("norm", "transformer.ln_f", C),
      ...(tied ? [] : [head(config)]),
    ];
  },
  tied: true,
  ignored: "hidden_dropout apply_residual_connection_post_layernorm",
};
