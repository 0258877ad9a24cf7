import type { DecoderConfig } from "../models/decoder-config.js";
import { layerConfig } from "../models/layer-config.js";
import type { Architecture } from "./architecture.js";
import { activation, bias, count, headSize, slidingLayers, trait, type ConfigEntry } from "./config-entry.js";
import { gemmaNorms, gemmaScales, ropesByType } from "./gemma-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { cappedLogits, gemmaTraits, sharedLayers } from "./gguf/gguf-gemma.js";
import { slidingBaseOr } from "./gguf/gguf-keys.js";
import { ggufPerLayerInputs, ggufPerLayerProjections, ggufPerLayerTables } from "./gguf/gguf-per-layer.js";
import {
  everyFifthFull,
  ggufStreamLayer,
  ggufStreamProjections,
  ggufStreams,
  refuseOtherSizes,
  sparseGates,
  unusedKeyValues,
} from "./gguf/gguf-streams.js";
import { layerCounts, perLayer } from "./layer-lists.js";
import { withOverrides } from "./layer-overrides.js";
import { feedForwardProjections, llamaTensors, rmsEps } from "./llama-parts.js";
import { perLayerInputs, perLayerProjections, perLayerTables } from "./per-layer-inputs.js";
import {
  sharedLastLayers,
  layerAttentionProjections,
  unusedGgufKeyValueNames,
  unusedKeyValueNames,
} from "./shared-layers.js";
import { each, linear, norm, stored, under, type StoredTensor } from "./stored-tensor.js";

/** Hidden width of the feed-forward layers: one for all layers, or a list. */
const widths: ConfigEntry = {
  read: (fields, config) => layerCounts("hiddenDim", "intermediate_size").read(fields, config),
  write: (config) => ({
    intermediate_size: Array.from({ length: config.numLayers }, (_, i) => layerConfig(config, i).hiddenDim),
  }),
};

/** Activation sparsity of each layer. Default: 0.95 in the first ten layers of models with more than ten. */
const sparsity: ConfigEntry = {
  read(fields, config) {
    const { numLayers = 0 } = config;
    const rule = {
      isValid: (share: number) => share >= 0 && share < 1,
      description: "at least 0 and below 1",
    };
    const shares =
      perLayer(fields, "activation_sparsity_pattern", numLayers, rule) ??
      Array.from({ length: numLayers }, (_, i) => (numLayers > 10 && i < 10 ? 0.95 : 0));
    return withOverrides(config, (i) => (shares[i] === 0 ? {} : { activationSparsity: shares[i]! }));
  },
  write: (config) => ({
    activation_sparsity_pattern: Array.from(
      { length: config.numLayers },
      (_, i) => layerConfig(config, i).activationSparsity ?? 0,
    ),
  }),
};

/** Number of residual streams (AltUp), and rank of the learned residual (LAuReL). */
const streams: ConfigEntry = {
  read(fields) {
    const active = fields.number("altup_active_idx", 0);
    const limit = fields.positiveOr(undefined, "altup_coef_clip");
    return {
      altUp: {
        streams: fields.count("altup_num_inputs"),
        ...(active !== 0 && { active }),
        ...(limit !== undefined && { coefficientLimit: limit }),
        ...(fields.flag("altup_correct_scale", true) && { outputScale: true }),
      },
      laurelRank: fields.count("laurel_rank"),
    };
  },
  write: ({ altUp, laurelRank }) => ({
    altup_num_inputs: altUp?.streams,
    altup_active_idx: altUp?.active ?? 0,
    altup_coef_clip: altUp?.coefficientLimit ?? null,
    altup_correct_scale: altUp?.outputScale ?? false,
    laurel_rank: laurelRank,
  }),
};

/** AltUp's projections from embeddings to streams, and back. */
const streamProjections = ({ altUp, embedDim: C }: DecoderConfig): StoredTensor[] => {
  const maps = (param: string, name: string) =>
    each((altUp?.streams ?? 1) - 1, param, name, () => [stored("weight", "weight", [C, C], "matrix")]);
  return [
    maps("altUp.expand", "model.altup_projections"),
    maps("altUp.merge", "model.altup_unembed_projections"),
  ];
};

/** AltUp's coefficient matrices of a layer, and LAuReL's projections. */
const layerProjections = ({ altUp, laurelRank: R = 1, embedDim: C }: DecoderConfig): StoredTensor[] => {
  const N = altUp?.streams ?? 1;
  return [
    under("altUp", "altup", [
      norm("routerNorm", "router_norm", C),
      stored("router", "modality_router.weight", [N, C]),
      stored("prediction", "prediction_coefs.weight", [N * N, N]),
      stored("correction", "correction_coefs.weight", [N, N]),
      ...(altUp?.outputScale ? [stored("outputScale", "correct_output_scale", [C])] : []),
    ]),
    under("laurel", "laurel", [
      linear("left", "linear_left", [R, C]),
      linear("right", "linear_right", [C, R]),
      norm("norm", "post_laurel_norm", C),
    ]),
  ];
};

/** Gemma 3n: several residual streams (AltUp), per-layer embeddings, and last layers that reuse keys and values of earlier ones. */
export const gemma3nText: Architecture = {
  modelTypes: ["gemma3n_text"],
  class: "Gemma3nForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("numLayers", "num_hidden_layers"),
    count("numHeads", "num_attention_heads"),
    count("numKvHeads", "num_key_value_heads", ({ numHeads }) => numHeads),
    headSize(),
    count("contextLength", "max_position_embeddings"),
    rmsEps(),
    widths,
    sparsity,
    activation("hidden_activation", "gelu_pytorch_tanh"),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    slidingLayers((i) => ((i + 1) % 5 === 0 ? "full" : "sliding")),
    sharedLastLayers,
    ropesByType({ name: "rope_local_base_freq", base: 10000 }),
    gemmaScales,
    perLayerInputs,
    streams,
    trait({ placement: "both", qkNorm: true, valueNorm: true }),
  ],
  gguf: () => [
    gguf("gemma3n", {
      exclusiveField: "altUp",
      freeHeads: true,
      traits: gemmaTraits,
      widths: [layerCounts("hiddenDim", "feed_forward_length")],
      keys: [
        ...[everyFifthFull, sharedLayers, slidingBaseOr(10000), cappedLogits],
        ...[ggufPerLayerInputs, ggufStreams, sparseGates],
      ],
      names: {
        tables: (config) => [...ggufPerLayerTables(config), ...ggufStreamProjections(config)],
        more: (config, layer) => [
          ...ggufPerLayerProjections(config),
          ...ggufStreamLayer(config),
          ...unusedKeyValues(config, layer),
        ],
      },
      ignoredTensors: unusedGgufKeyValueNames,
      scalings: [],
      refuses: refuseOtherSizes,
    }),
  ],
  tensors: (config, tied) => [
    ...llamaTensors(config, tied, {
      norms: gemmaNorms,
      attention: layerAttentionProjections,
      feed: (config, i) => feedForwardProjections(layerConfig(config, i)),
      more: (config) => [...perLayerProjections(config), ...layerProjections(config)],
    }),
    ...perLayerTables(config),
    ...streamProjections(config),
  ],
  tied: true,
  defaults: {
    vocab_size: 262400,
    vocab_size_per_layer_input: 262144,
    hidden_size: 2048,
    num_hidden_layers: 35,
    hidden_size_per_layer_input: 256,
    intermediate_size: 16384,
    num_attention_heads: 8,
    num_key_value_heads: 2,
    head_dim: 256,
    max_position_embeddings: 32768,
    sliding_window: 512,
    final_logit_softcapping: 30,
    num_kv_shared_layers: 15,
    laurel_rank: 64,
    altup_num_inputs: 4,
    altup_coef_clip: 120,
  },
  ignored: "query_pre_attn_scalar altup_lr_multiplier",
  ignoredTensors: unusedKeyValueNames,
};
