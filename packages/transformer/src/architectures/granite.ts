import type { Architecture } from "./architecture.js";
import { activation, bias, factor, rope, type ConfigEntry } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Granite's multipliers of embeddings, scores, sums and logits. */
export const graniteScales = (): readonly ConfigEntry[] => [
  factor("embeddingScale", "embedding_multiplier"),
  {
    read: (fields) => ({ attentionScale: fields.positive("attention_multiplier", 1) }),
    write: (config) => ({ attention_multiplier: config.attentionScale ?? scaleOf(config) }),
  },
  factor("residualScale", "residual_multiplier"),
  factor(
    "logitScale",
    "logits_scaling",
    (x) => 1 / x,
    (x) => 1 / x,
  ),
];

const scaleOf = ({ headDim, embedDim, numHeads }: { headDim?: number; embedDim: number; numHeads: number }) =>
  (headDim ?? embedDim / numHeads) ** -0.5;

/** Granite 3: Llama with multipliers. */
export const granite: Architecture = {
  modelTypes: ["granite"],
  class: "GraniteForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
    ...graniteScales(),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
};
