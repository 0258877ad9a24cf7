import type { Architecture } from "./architecture.js";
import { activation, bias, headDim, rope, slidingLayers, trait, type ConfigEntry } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Embeddings times √C, the scale of attention scores, and the softcaps of scores and logits. */
const scales: ConfigEntry = {
  read(fields, { embedDim = 1 }) {
    const attentionSoftcap = fields.positiveOr(undefined, "attn_logit_softcapping");
    const logitSoftcap = fields.positiveOr(undefined, "final_logit_softcapping");
    return {
      embeddingScale: Math.sqrt(embedDim),
      attentionScale: fields.positive("query_pre_attn_scalar", 256) ** -0.5,
      ...(attentionSoftcap !== undefined && { attentionSoftcap }),
      ...(logitSoftcap !== undefined && { logitSoftcap }),
    };
  },
  write: (config) => ({
    query_pre_attn_scalar:
      config.attentionScale === undefined ? headDim(config) : config.attentionScale ** -2,
    attn_logit_softcapping: config.attentionSoftcap ?? null,
    final_logit_softcapping: config.logitSoftcap ?? null,
  }),
};

/** VaultGemma: Gemma 2 with pre-norm only. */
export const vaultGemma: Architecture = {
  modelTypes: ["vaultgemma"],
  class: "VaultGemmaForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation("hidden_activation", "gelu_pytorch_tanh"),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    scales,
    slidingLayers((i) => (i % 2 === 0 ? "sliding" : "full")),
    trait({ placement: "pre" }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      norms: { attentionNorm: "input_layernorm", feedForwardNorm: "pre_feedforward_layernorm" },
      plus: 1,
    }),
  tied: true,
  // Defaults for files without these fields; null means none.
  defaults: { attn_logit_softcapping: 50, final_logit_softcapping: 30, sliding_window: 4096 },
  ignored: "hidden_act",
};
