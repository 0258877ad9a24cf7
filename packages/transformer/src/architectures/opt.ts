import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, always, bias, count, multiHead, trait, type ConfigEntry } from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { each, linear, norm, rowsFrom, type StoredTensor } from "./stored-tensor.js";

/** Number of unused rows at the start of OPT's position embeddings. */
const padRows = 2;

const normPlacement: ConfigEntry = {
  read: (fields) => (fields.flag("do_layer_norm_before", true) ? {} : { placement: "post" }),
  write: ({ placement }) => ({ do_layer_norm_before: placement !== "post" }),
};

const embeddingWidth: ConfigEntry = {
  read(fields, { embedDim }) {
    fields.mustBe("word_embed_proj_dim", embedDim);
    return {};
  },
  write: ({ embedDim }) => ({ word_embed_proj_dim: embedDim }),
};

/** OPT: learned positions and layer norms, with biases. */
export const opt: Architecture = {
  modelTypes: ["opt"],
  class: "OPTForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("hiddenDim", "ffn_dim"),
    count("numLayers", "num_hidden_layers"),
    count("numHeads", "num_attention_heads"),
    multiHead,
    count("contextLength", "max_position_embeddings"),
    activation("activation_function", "relu"),
    normPlacement,
    embeddingWidth,
    bias("enable_bias", ["queryKeyValue", "attentionOutput", "feedForward"], true),
    always("layer_norm_elementwise_affine", true),
    always("_remove_final_layer_norm", false),
    trait({ norm: "layer", normEps: 1e-5, gated: false, positions: "learned" }),
  ],
  tensors: (config, tied) =>
    optTensors(config, tied, { path: "model.decoder", lastNorm: "final_layer_norm", head: "lm_head.weight" }),
  tied: true,
  ignored: "dropout activation_dropout layerdrop init_std",
};

/** Tensors of OPT and of architectures with the same names, except for the prefix, the final norm and the output projection. */
export function optTensors(
  config: DecoderConfig,
  tied: boolean,
  { path, lastNorm, head: output }: { path: string; lastNorm: string; head: string },
): readonly StoredTensor[] {
  const { embedDim: C, hiddenDim: F, numLayers, contextLength } = config;
  return [
    embedding(config, `${path}.embed_tokens.weight`),
    rowsFrom("positions.weight", `${path}.embed_positions.weight`, padRows, [contextLength, C]),
    each(numLayers, "layers", `${path}.layers`, () => [
      norm("attentionNorm", "self_attn_layer_norm", C),
      linear("attention.query", "self_attn.q_proj", [C, C]),
      linear("attention.key", "self_attn.k_proj", [C, C]),
      linear("attention.value", "self_attn.v_proj", [C, C]),
      linear("attention.output", "self_attn.out_proj", [C, C]),
      norm("feedForwardNorm", "final_layer_norm", C),
      linear("feedForward.up", "fc1", [F, C]),
      linear("feedForward.down", "fc2", [C, F]),
    ]),
    norm("norm", `${path}.${lastNorm}`, C),
    ...(tied ? [] : [head(config, output)]),
  ];
}
