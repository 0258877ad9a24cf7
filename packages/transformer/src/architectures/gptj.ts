import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, count, multiHead, positive, trait, type ConfigEntry } from "./config-entry.js";
import { embedding } from "./llama-parts.js";
import { each, linear, norm, type StoredTensor } from "./stored-tensor.js";

/** Entries shared by GPT-J and CodeGen. */
export const gptjConfig = (): readonly ConfigEntry[] => [
  count("vocabSize", "vocab_size"),
  count("embedDim", "n_embd"),
  count("hiddenDim", "n_inner", ({ embedDim = 0 }) => 4 * embedDim),
  count("numLayers", "n_layer"),
  count("numHeads", "n_head"),
  multiHead,
  count("contextLength", "n_positions"),
  positive("normEps", "layer_norm_epsilon", 1e-5),
  activation("activation_function", "gelu_new"),
  {
    read: (fields, { embedDim = 0, numHeads = 1 }) => {
      const ropeDim = fields.countOr(64, "rotary_dim");
      return ropeDim === embedDim / numHeads ? {} : { ropeDim };
    },
    write: ({ ropeDim, embedDim, numHeads }) => ({ rotary_dim: ropeDim ?? embedDim / numHeads }),
  },
  trait({
    norm: "layer",
    gated: false,
    placement: "parallelShared",
    ropeLayout: "interleaved",
    bias: { queryKeyValue: false, attentionOutput: false, feedForward: true },
  }),
];

/** Tensors of GPT-J and CodeGen. `attention`: the query, key and value projections. */
export function gptjTensors(
  config: DecoderConfig,
  tied: boolean,
  attention: readonly StoredTensor[],
): readonly StoredTensor[] {
  const { vocabSize: V, embedDim: C, hiddenDim: F, numLayers } = config;
  return [
    embedding(config, "transformer.wte.weight"),
    each(numLayers, "layers", "transformer.h", () => [
      norm("attentionNorm", "ln_1", C),
      ...attention,
      linear("attention.output", "attn.out_proj", [C, C]),
      linear("feedForward.up", "mlp.fc_in", [F, C]),
      linear("feedForward.down", "mlp.fc_out", [C, F]),
    ]),
    norm("norm", "transformer.ln_f", C),
    ...(tied ? [] : [linear("output", "lm_head", [V, C])]),
  ];
}

/** Ignored fields of GPT-J and CodeGen. */
export const gptjIgnored =
  "attn_pdrop summary_activation summary_first_dropout summary_proj_to_labels summary_type summary_use_proj n_ctx gradient_checkpointing rotary scale_attn_weights";

/** GPT-J: attention and MLP in parallel after one layer norm; interleaved RoPE. */
export const gptj: Architecture = {
  modelTypes: ["gptj"],
  class: "GPTJForCausalLM",
  config: gptjConfig,
  tensors(config, tied) {
    const C = config.embedDim;
    return gptjTensors(config, tied, [
      linear("attention.query", "attn.q_proj", [C, C]),
      linear("attention.key", "attn.k_proj", [C, C]),
      linear("attention.value", "attn.v_proj", [C, C]),
    ]);
  },
  ignored: gptjIgnored,
  ignoredTensors: /attn\.(masked_)?bias$/,
};
