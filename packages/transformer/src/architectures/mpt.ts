import { stacked } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import {
  always,
  count,
  headDim,
  multiHead,
  positive,
  trait,
  requireValue,
  type ConfigEntry,
} from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { each, fused, linear, norm } from "./stored-tensor.js";

/** `attn_config`: ALiBi with the default slopes. Other options are refused. */
const attention: ConfigEntry = {
  read(fields) {
    const attentionFields = fields.nested("attn_config");
    if (!attentionFields)
      return fields.refuse("attn_config", "an object with alibi, as in the published models");
    if (!attentionFields.flag("alibi", false)) return attentionFields.unsupported("alibi", "true");
    attentionFields.mustBe("alibi_bias_max", 8);
    attentionFields.mustBe("attn_type", "multihead_attention");
    for (const name of ["qk_ln", "prefix_lm", "attn_uses_sequence_id"]) attentionFields.mustBe(name, false);
    for (const name of ["clip_qkv", "softmax_scale"])
      if (attentionFields.has(name)) return attentionFields.unsupported(name, "null");
    return {};
  },
  write: () => ({ attn_config: { attn_type: "multihead_attention", alibi: true, alibi_bias_max: 8 } }),
};

/** The hidden width as a multiple of the model width. */
const expansion: ConfigEntry = {
  read: (fields, { embedDim = 0 }) => ({ hiddenDim: embedDim * fields.countOr(4, "expansion_ratio") }),
  write: ({ hiddenDim, embedDim }) => ({ expansion_ratio: hiddenDim / embedDim }),
};

/** MPT: ALiBi, layer norms, no biases. */
export const mpt: Architecture = {
  modelTypes: ["mpt"],
  class: "MptForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "d_model"),
    count("numHeads", "n_heads"),
    count("numLayers", "n_layers"),
    expansion,
    multiHead,
    count("contextLength", "max_seq_len"),
    positive("normEps", "layer_norm_epsilon", 1e-5),
    attention,
    requireValue("no_bias", true),
    requireValue("norm_type", "low_precision_layernorm"),
    trait({ norm: "layer", activation: "gelu", gated: false, positions: "alibi" }),
  ],
  gguf: () => [
    gguf("mpt", {
      traits: { norm: "layer", activation: "gelu", gated: false, positions: "alibi" },
      keys: [always("attention.max_alibi_bias", 8)],
      names: { fusedAttention: true },
      biases: { norms: "either" },
    }),
  ],
  tensors(config, tied) {
    const { embedDim: C, hiddenDim: F, numLayers, numHeads } = config;
    const width = numHeads * headDim(config);
    return [
      embedding(config, "transformer.wte.weight"),
      each(numLayers, "layers", "transformer.blocks", () => [
        norm("attentionNorm", "norm_1", C),
        fused(
          ["attention.query", "attention.key", "attention.value"],
          "attn.Wqkv",
          stacked([width, width, width]),
          C,
        ),
        linear("attention.output", "attn.out_proj", [C, width]),
        norm("feedForwardNorm", "norm_2", C),
        linear("feedForward.up", "ffn.up_proj", [F, C]),
        linear("feedForward.down", "ffn.down_proj", [C, F]),
      ]),
      norm("norm", "transformer.norm_f", C),
      ...(tied ? [] : [head(config)]),
    ];
  },
  tied: true,
  ignored:
    "attn_pdrop attn_impl learned_pos_emb resid_pdrop emb_pdrop init_config init_device logit_scale verbose embedding_fraction use_norm_in_attn",
};
