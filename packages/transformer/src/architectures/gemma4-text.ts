import type { DecoderConfig } from "../models/decoder-config.js";
import { layerConfig } from "../models/layer-config.js";
import type { Architecture } from "./architecture.js";
import {
  activation,
  always,
  bias,
  count,
  headDim,
  headSize,
  slidingLayers,
  trait,
  type ConfigEntry,
} from "./config-entry.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { cappedLogits, gemmaTraits, sharedLayers, slidingHeads, slidingList } from "./gguf/gguf-gemma.js";
import { headLengths, slidingBaseOr } from "./gguf/gguf-keys.js";
import { ggufPerLayerInputs, ggufPerLayerProjections, ggufPerLayerTables } from "./gguf/gguf-per-layer.js";
import { layerCounts } from "./layer-lists.js";
import { gemmaNorms, gemmaScales, ropesByType } from "./gemma-parts.js";
import { withOverrides } from "./layer-overrides.js";
import { feedForwardProjections, llamaTensors, rmsEps } from "./llama-parts.js";
import { perLayerInputs, perLayerProjections, perLayerTables } from "./per-layer-inputs.js";
import {
  sharedLastLayers,
  hasOwnKeyValues,
  layerAttentionProjections,
  unusedGgufKeyValueNames,
  unusedKeyValueNames,
} from "./shared-layers.js";
import { stored } from "./stored-tensor.js";

/** Head dimensions and key-value heads per layer type: from `per_layer_config`, or from the field for full layers. */
const headOverrides: ConfigEntry = {
  read(fields, config) {
    const perLayer = fields.nested("per_layer_config");
    const globalHeadDim = fields.countOr(512, "global_head_dim");
    return withOverrides(config, (i) => {
      if (!perLayer)
        return {
          headDim:
            config.layerTypes?.[i] === "sliding" ? undefined : differing(globalHeadDim, headDim(config)),
        };
      const layerFields = perLayer.nested(`${i}`);
      return {
        headDim: differing(layerFields?.countOr(undefined, "head_dim"), headDim(config)),
        numKvHeads: differing(layerFields?.countOr(undefined, "num_key_value_heads"), config.numKvHeads),
      };
    });
  },
  write: (config) => ({
    per_layer_config: Object.fromEntries(
      (config.layerOverrides ?? []).flatMap((overrides, i) => {
        const fields = {
          ...(overrides?.headDim !== undefined && { head_dim: overrides.headDim }),
          ...(overrides?.numKvHeads !== undefined && { num_key_value_heads: overrides.numKvHeads }),
        };
        return Object.keys(fields).length === 0 ? [] : [[i, fields]];
      }),
    ),
  }),
};

/** The value of a layer; undefined if it equals that of the model. */
const differing = (layerValue: number | undefined, modelValue: number | undefined): number | undefined =>
  layerValue === modelValue ? undefined : layerValue;

/** `use_double_wide_mlp`: layers that reuse keys and values of others have feed-forward layers of twice the width. */
const doubleWidths: ConfigEntry = {
  read(fields, config) {
    if (!fields.flag("use_double_wide_mlp", false)) return {};
    const shares = (i: number) => !hasOwnKeyValues(config as DecoderConfig, i);
    return withOverrides(config, (i) => ({ hiddenDim: shares(i) ? 2 * (config.hiddenDim ?? 0) : undefined }));
  },
  write: ({ hiddenDim, layerOverrides = [] }) => ({
    use_double_wide_mlp: layerOverrides.some((overrides) => overrides?.hiddenDim === 2 * hiddenDim),
  }),
};

/** The last layer must be full: transformers makes it full even if the file states otherwise. */
const fullAtTheEnd: ConfigEntry = {
  read(fields, { layerTypes }) {
    if (layerTypes?.at(-1) !== "sliding") return {};
    return fields.unsupported("layer_types", "full_attention at the end");
  },
  write: () => ({}),
};

/** `use_bidirectional_attention`: image tokens may attend in both directions. Bidirectional attention of text is not supported. */
const causalText: ConfigEntry = {
  read(fields) {
    const kind = "use_bidirectional_attention";
    if (!fields.has(kind) || fields.text(kind) === "vision") return {};
    return fields.unsupported(kind, '"vision", or no such field: text is causal');
  },
  write: () => ({}),
};

/** Gemma 4: per-layer embeddings, last layers that reuse keys and values, larger heads with partial RoPE in full layers. */
export const gemma4Text: Architecture = {
  modelTypes: ["gemma4_text"],
  class: "Gemma4ForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("hiddenDim", "intermediate_size"),
    count("numLayers", "num_hidden_layers"),
    count("numHeads", "num_attention_heads"),
    count("numKvHeads", "num_key_value_heads"),
    headSize(),
    count("contextLength", "max_position_embeddings"),
    rmsEps(),
    activation("hidden_activation", "gelu_pytorch_tanh"),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    slidingLayers((i, fields) =>
      (i + 1) % 6 === 0 || i + 1 === fields.count("num_hidden_layers") ? "full" : "sliding",
    ),
    fullAtTheEnd,
    sharedLastLayers,
    headOverrides,
    doubleWidths,
    ropesByType(),
    gemmaScales,
    perLayerInputs,
    causalText,
    // Other sizes of the model use keys as values, or experts in parallel to the feed-forward layer. Both are not supported.
    always("attention_k_eq_v", false),
    always("enable_moe_block", false),
    trait({ placement: "both", qkNorm: true, valueNorm: true, layerScale: true }),
  ],
  gguf: () => [
    gguf("gemma4", {
      freeHeads: true,
      traits: { ...gemmaTraits, layerScale: true },
      widths: [layerCounts("hiddenDim", "feed_forward_length")],
      heads: [layerCounts("numKvHeads", "attention.head_count_kv", ({ numHeads }) => numHeads), headLengths],
      keys: [slidingList, sharedLayers, slidingHeads, slidingBaseOr(10000), cappedLogits, ggufPerLayerInputs],
      names: {
        tables: ggufPerLayerTables,
        more: (config) => [
          ...ggufPerLayerProjections(config),
          stored("scale", "layer_output_scale.weight", [1]),
        ],
      },
      ignoredTensors: unusedGgufKeyValueNames,
      scalings: ["proportional"],
      refuses: ({ ropeScaling }) =>
        ropeScaling?.type === "proportional" && (ropeScaling.factor ?? 1) === 1
          ? undefined
          : {
              argument: "config.ropeScaling",
              received: ropeScaling,
              expected: "a share of pairs that rotate",
            },
    }),
  ],
  tensors: (config, tied) => [
    ...llamaTensors(config, tied, {
      norms: gemmaNorms,
      attention: layerAttentionProjections,
      feed: (config, i) => feedForwardProjections(layerConfig(config, i)),
      more: (config) => [...perLayerProjections(config), stored("scale", "layer_scalar", [1])],
    }),
    ...perLayerTables(config),
  ],
  tied: true,
  defaults: {
    vocab_size: 262144,
    vocab_size_per_layer_input: 262144,
    hidden_size: 2304,
    num_hidden_layers: 30,
    hidden_size_per_layer_input: 256,
    intermediate_size: 9216,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131072,
    sliding_window: 512,
    rope_parameters: {
      full_attention: { rope_type: "proportional", partial_rotary_factor: 0.25, rope_theta: 1e6 },
      sliding_attention: { rope_type: "default", rope_theta: 10000 },
    },
  },
  // Fields of experts, which the flag above enables.
  ignored: "num_experts top_k_experts moe_intermediate_size num_global_key_value_heads",
  ignoredTensors: unusedKeyValueNames,
};
