import type { RowMap } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, bias, headDim, rope, trait, type ConfigEntry } from "./config-entry.js";
import { embedding, feedForwardProjections, head, llamaSizes, rmsEps } from "./llama-parts.js";
import { hasPlainNorms } from "./olmo.js";
import { each, fused, linear, normWithoutGain, type StoredTensor } from "./stored-tensor.js";

/** The softcap of logits. */
const softcap: ConfigEntry = {
  read(fields) {
    const logitSoftcap = fields.positiveOr(undefined, "final_logit_softcapping");
    return logitSoftcap === undefined ? {} : { logitSoftcap };
  },
  write: ({ logitSoftcap }) => ({ final_logit_softcapping: logitSoftcap ?? null }),
};

/** Row map that swaps the halves of each head, because the model rotates pairs in the opposite direction. */
function swappedHalves(heads: number, D: number): RowMap {
  return {
    sizes: [heads * D],
    to: (row) => [0, row - (row % D) + (((row % D) + D / 2) % D)],
  };
}

const maps = (config: DecoderConfig): StoredTensor[] => {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv } = config;
  const D = headDim(config);
  return [
    fused(["attention.query"], "self_attn.q_proj", swappedHalves(H, D), C),
    fused(["attention.key"], "self_attn.k_proj", swappedHalves(Hkv, D), C),
    linear("attention.value", "self_attn.v_proj", [Hkv * D, C]),
    linear("attention.output", "self_attn.o_proj", [C, H * D]),
  ];
};

/** nanochat: norms without gain, also of embeddings, queries and keys; RoPE in the opposite direction; squared ReLU. */
export const nanochat: Architecture = {
  modelTypes: ["nanochat"],
  class: "NanoChatForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation("hidden_act", "relu2"),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    softcap,
    trait({ gated: false, embeddingNorm: true, qkNorm: "unit", qkNormPlace: "afterRope" }),
  ],
  tensors: (config, tied) => [
    embedding(config),
    normWithoutGain("embeddingNorm", config.embedDim),
    each(config.numLayers, "layers", "model.layers", () => [
      normWithoutGain("attentionNorm", config.embedDim),
      ...maps(config),
      normWithoutGain("feedForwardNorm", config.embedDim),
      ...feedForwardProjections(config, { maps: { up: "fc1", down: "fc2" } }),
    ]),
    normWithoutGain("norm", config.embedDim),
    ...(tied ? [] : [head(config)]),
  ],
  fits: hasPlainNorms,
  // Default for files without the field; null means no softcap.
  defaults: { final_logit_softcapping: 15 },
};
