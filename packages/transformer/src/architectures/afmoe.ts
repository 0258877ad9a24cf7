import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import {
  activation,
  headDim,
  rope,
  slidingLayers,
  trait,
  without,
  type ConfigEntry,
} from "./config-entry.js";
import { rotatesWhereItSlides } from "./exaone4.js";
import {
  expertCounts,
  expertsOrMaps,
  firstDenseLayers,
  sharedExperts,
  sharesScale,
  sigmoidScores,
} from "./expert-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufGroups } from "./gguf/gguf-experts.js";
import { derived, slidingBase, slidingPeriods } from "./gguf/gguf-keys.js";
import { attentionTensors } from "./gguf/gguf-tensors.js";
import { attentionMaps, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { everyFourthDoesNotRotate } from "./smollm3.js";
import { linear, type StoredTensor } from "./stored-tensor.js";

/** Embeddings are scaled by √C, or are not. */
const scaledEmbeddings: ConfigEntry = {
  read: (fields, { embedDim = 1 }) =>
    fields.flag("mup_enabled", false) ? { embeddingScale: Math.sqrt(embedDim) } : {},
  write: ({ embeddingScale = 1 }) => ({ mup_enabled: embeddingScale !== 1 }),
};

/** Maps of attention, and that of the gate of its output. */
const gatedAttention = (config: DecoderConfig): StoredTensor[] => [
  ...attentionMaps(config),
  linear("attention.gate", "self_attn.gate_proj", [config.numHeads * headDim(config), config.embedDim]),
];

/** Arcee's Trinity: gated attention that slides but in every fourth layer, which knows no positions; norms on both sides; experts. */
export const afmoe: Architecture = {
  modelTypes: ["afmoe"],
  class: "AfmoeForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    slidingLayers((i, fields) =>
      (i + 1) % fields.countOr(4, "global_attn_every_n_layers") === 0 ? "full" : "sliding",
    ),
    rotatesWhereItSlides,
    scaledEmbeddings,
    expertCounts("num_experts", "moe_intermediate_size"),
    sigmoidScores,
    sharesScale(1, "route_scale"),
    sharedExperts("num_shared_experts", 2),
    firstDenseLayers(1, "num_dense_layers"),
    without("attention_bias"),
    without("route_norm", true),
    without("score_func", "sigmoid"),
    without("n_group", 1),
    without("topk_group", 1),
    trait({ placement: "both", qkNorm: true, attentionGate: "elementwise" }),
  ],
  gguf: () => [
    gguf("afmoe", {
      freeHeads: true,
      traits: { placement: "both", qkNorm: true, attentionGate: "elementwise" },
      keys: [
        ...[slidingPeriods(4, true), slidingBase, everyFourthDoesNotRotate],
        derived(({ embedDim = 1 }) => ({ embeddingScale: Math.sqrt(embedDim) })),
        ...ggufGroups,
      ],
      names: {
        attention: (config) => [
          ...attentionTensors(config, { ropeLayout: "half" }),
          linear("attention.gate", "attn_gate", [config.numHeads * headDim(config), config.embedDim]),
        ],
      },
      scalings: [],
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      norms: {
        attentionNorm: "input_layernorm",
        attentionOutNorm: "post_attention_layernorm",
        feedForwardNorm: "pre_mlp_layernorm",
        feedForwardOutNorm: "post_mlp_layernorm",
      },
      attention: gatedAttention,
      feed: expertsOrMaps({ router: "router.gate", choiceBias: "expert_bias" }),
    }),
  ignored:
    "global_attn_every_n_layers load_balance_coeff use_grouped_mm num_expert_groups num_limited_groups",
};
