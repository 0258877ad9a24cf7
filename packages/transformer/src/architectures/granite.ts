import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { scaleKey } from "./gguf/gguf-keys.js";
import { activation, bias, factor, rope, type ConfigEntry } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Granite's multipliers of embeddings, attention scores, residual additions and logits. */
export const graniteScales = (): readonly ConfigEntry[] => [
  factor("embeddingScale", "embedding_multiplier"),
  {
    read: (fields) => ({ attentionScale: fields.positive("attention_multiplier", 1) }),
    write: (config) => ({ attention_multiplier: config.attentionScale ?? defaultScale(config) }),
  },
  factor("residualScale", "residual_multiplier"),
  factor(
    "logitScale",
    "logits_scaling",
    (x) => 1 / x,
    (x) => 1 / x,
  ),
];

/** Granite's multipliers as GGUF metadata. */
export const ggufScales = (): readonly ConfigEntry[] => [
  scaleKey("embeddingScale", "embedding_scale"),
  scaleKey("attentionScale", "attention.scale"),
  scaleKey("residualScale", "residual_scale"),
  scaleKey("logitScale", "logit_scale", { inverse: true, always: true }),
];

const defaultScale = ({
  headDim,
  embedDim,
  numHeads,
}: {
  headDim?: number;
  embedDim: number;
  numHeads: number;
}) => (headDim ?? embedDim / numHeads) ** -0.5;

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
  gguf: () => [
    gguf("granite", {
      freeHeads: true, // the head dimension may differ from embedDim / numHeads
      ropeLayout: "interleaved",
      keys: ggufScales(),
      biases: { attentionOutput: "either", queryKeyValue: "either", feedForward: "either" },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
};
