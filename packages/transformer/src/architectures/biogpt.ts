import type { Architecture } from "./architecture.js";
import { activation, count, multiHead, trait, type ConfigEntry } from "./config-entry.js";
import { optTensors } from "./opt.js";

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
    multiHead,
    count("contextLength", "max_position_embeddings"),
    activation("hidden_act", "gelu"),
    embeddingScale,
    trait({
      norm: "layer",
      // PyTorch's default: transformers creates these norms without passing layer_norm_eps.
      normEps: 1e-5,
      gated: false,
      positions: "learned",
      bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    }),
  ],
  tensors: (config, tied) =>
    optTensors(config, tied, { path: "biogpt", lastNorm: "layer_norm", head: "output_projection.weight" }),
  tied: true,
  ignored: "layer_norm_eps hidden_dropout_prob attention_probs_dropout_prob activation_dropout layerdrop",
  ignoredTensors: /^output_projection\.weight$/,
};
