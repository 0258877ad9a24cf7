import type { Architecture } from "./architecture.js";
import { activation, count, trait, type ConfigEntry } from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { each, linear, norm, rowsFrom } from "./stored-tensor.js";

/** The first rows of the table of positions belong to no token, as in OPT's. */
const padRows = 2;

const embeddingScale: ConfigEntry = {
  read: (fields, { embedDim = 1 }) =>
    fields.flag("scale_embedding", true) ? { embeddingScale: Math.sqrt(embedDim) } : {},
  write: ({ embeddingScale = 1 }) => ({ scale_embedding: embeddingScale !== 1 }),
};

/** BioGPT: learned positions and layer norms, with biases, and scaled embeddings. */
export const bioGpt: Architecture = {
  modelTypes: ["biogpt"],
  class: "BioGptForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("hiddenDim", "intermediate_size"),
    count("numLayers", "num_hidden_layers"),
    count("numHeads", "num_attention_heads"),
    { read: (_, { numHeads = 1 }) => ({ numKvHeads: numHeads }), write: () => ({}) },
    count("contextLength", "max_position_embeddings"),
    activation("hidden_act", "gelu"),
    embeddingScale,
    trait({
      norm: "layer",
      // PyTorch's own: transformers makes the norms without layer_norm_eps.
      normEps: 1e-5,
      gated: false,
      positions: "learned",
      bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  ],
  tensors(config, tied) {
    const { embedDim: C, hiddenDim: F, numLayers, contextLength } = config;
    return [
      embedding(config, "biogpt.embed_tokens.weight"),
      rowsFrom("positions.weight", "biogpt.embed_positions.weight", padRows, [contextLength, C]),
      each(numLayers, "layers", "biogpt.layers", () => [
        norm("attentionNorm", "self_attn_layer_norm", C),
        linear("attention.query", "self_attn.q_proj", [C, C]),
        linear("attention.key", "self_attn.k_proj", [C, C]),
        linear("attention.value", "self_attn.v_proj", [C, C]),
        linear("attention.output", "self_attn.out_proj", [C, C]),
        norm("feedForwardNorm", "final_layer_norm", C),
        linear("feedForward.up", "fc1", [F, C]),
        linear("feedForward.down", "fc2", [C, F]),
      ]),
      norm("norm", "biogpt.layer_norm", C),
      ...(tied ? [] : [head(config, "output_projection.weight")]),
    ];
  },
  tied: true,
  ignored: "layer_norm_eps hidden_dropout_prob attention_probs_dropout_prob activation_dropout layerdrop",
  ignoredTensors: /^output_projection\.weight$/,
};
