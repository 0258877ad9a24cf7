import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import {
  activation,
  headDim,
  rope,
  slidingLayers,
  trait,
  requireValue,
  type ConfigEntry,
} from "./config-entry.js";
import { ropeInSlidingLayers } from "./exaone4.js";
import {
  expertCounts,
  feedForwardOrExperts,
  firstDenseLayers,
  sharedExperts,
  routedScaling,
  sigmoidScores,
} from "./expert-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufGroups } from "./gguf/gguf-experts.js";
import { derived, slidingBase, slidingPeriods } from "./gguf/gguf-keys.js";
import { attentionTensors } from "./gguf/gguf-tensors.js";
import { attentionProjections, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { noRopeInEveryFourthLayer } from "./smollm3.js";
import { linear, type StoredTensor } from "./stored-tensor.js";

/** `mup_enabled`: embeddings are multiplied by √C. */
const scaledEmbeddings: ConfigEntry = {
  read: (fields, { embedDim = 1 }) =>
    fields.flag("mup_enabled", false) ? { embeddingScale: Math.sqrt(embedDim) } : {},
  write: ({ embeddingScale = 1 }) => ({ mup_enabled: embeddingScale !== 1 }),
};

/** Attention projections, and the projection of the output gate. */
const gatedAttention = (config: DecoderConfig): StoredTensor[] => [
  ...attentionProjections(config),
  linear("attention.gate", "self_attn.gate_proj", [config.numHeads * headDim(config), config.embedDim]),
];

/** Arcee's Trinity: gated sliding-window attention, full attention without positions (NoPE) in every fourth layer; norms before and after each sublayer; mixture of experts. */
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
    ropeInSlidingLayers,
    scaledEmbeddings,
    expertCounts("num_experts", "moe_intermediate_size"),
    sigmoidScores,
    routedScaling(1, "route_scale"),
    sharedExperts("num_shared_experts", 2),
    firstDenseLayers(1, "num_dense_layers"),
    requireValue("attention_bias", false),
    requireValue("route_norm", true),
    requireValue("score_func", "sigmoid"),
    requireValue("n_group", 1),
    requireValue("topk_group", 1),
    trait({ placement: "both", qkNorm: true, attentionGate: "elementwise" }),
  ],
  gguf: () => [
    gguf("afmoe", {
      freeHeads: true,
      traits: { placement: "both", qkNorm: true, attentionGate: "elementwise" },
      keys: [
        ...[slidingPeriods(4, true), slidingBase, noRopeInEveryFourthLayer],
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
      feed: feedForwardOrExperts({ router: "router.gate", choiceBias: "expert_bias" }),
    }),
  ignored:
    "global_attn_every_n_layers load_balance_coeff use_grouped_mm num_expert_groups num_limited_groups",
};
