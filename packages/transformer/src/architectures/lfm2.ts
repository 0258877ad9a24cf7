import { mixerLayer, shortConvolution } from "@qkv/attention";
import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { count, headDim, positive, rope, trait, type ConfigEntry } from "./config-entry.js";
import { embedding, feedForwardMaps, head } from "./llama-parts.js";
import { isMixer, mixedTypes, mixerOf } from "./mixed-layers.js";
import { each, fused, linear, norm, reshaped, under, type StoredTensor } from "./stored-tensor.js";

/** Width of the feed-forward layers: as the file says, or two thirds of it, rounded up to a multiple. */
const hiddenDim: ConfigEntry = {
  read(fields) {
    const stated = fields.count("intermediate_size", "block_ff_dim");
    const factor = fields.positive("block_ffn_dim_multiplier", 1);
    const multiple = fields.countOr(256, "block_multiple_of");
    if (!fields.flag("block_auto_adjust_ff_dim", true)) return { hiddenDim: stated };
    const narrow = Math.floor(factor * Math.floor((2 * stated) / 3));
    return { hiddenDim: multiple * Math.ceil(narrow / multiple) };
  },
  write: ({ hiddenDim }) => ({ intermediate_size: hiddenDim, block_auto_adjust_ff_dim: false }),
};

const same = <T>(x: T): T => x;

/** Short convolutions, and attention in a few layers. */
const convolutionLayers: ConfigEntry = {
  read(fields, { embedDim = 1, numLayers = 0 }) {
    const bias = fields.flag("conv_bias", false);
    const layer = mixerLayer({
      embedDim,
      numHeads: 1,
      mixer: shortConvolution(),
      axes: { N: fields.countOr(3, "conv_L_cache") },
      outputNorm: "none",
      bias,
      ...(bias && { inputs: { bias: same } }),
    });
    const listed = mixedTypes(fields, numLayers);
    // Repeats what the types say.
    const full = fields.list("full_attn_idxs");
    const types =
      listed ??
      Array.from({ length: numLayers }, (_, i) =>
        full === undefined || full.includes(i) ? "full" : "mixer",
      );
    return { layerTypes: types.map((type) => (type === "mixer" ? layer : type)) };
  },
  write(config) {
    const mixer = mixerOf(config);
    return {
      conv_bias: mixer?.bias ?? false,
      ...(mixer?.axes && { conv_L_cache: mixer.axes["N"] }),
      layer_types: Array.from({ length: config.numLayers }, (_, i) =>
        isMixer(config.layerTypes?.[i]) ? "conv" : "full_attention",
      ),
    };
  },
};

/** Entries of LFM2, with those of its feed-forward layers. */
export const lfm2Config = (...feedForward: readonly ConfigEntry[]): readonly ConfigEntry[] => [
  count("vocabSize", "vocab_size"),
  count("embedDim", ["hidden_size", "block_dim"]),
  count("numLayers", "num_hidden_layers"),
  ...feedForward,
  count("numHeads", ["num_attention_heads", "num_heads"]),
  count("numKvHeads", "num_key_value_heads", ({ numHeads }) => numHeads),
  count("contextLength", "max_position_embeddings", 128000),
  positive("normEps", "norm_eps", 1e-5),
  rope({ base: 1000000 }),
  trait({ qkNorm: true }),
  convolutionLayers,
];

/** Names of the maps of feed-forward layers. */
export const lfm2Maps = { gate: "w1", up: "w3", down: "w2" } as const;

/** Tensors of LFM2, with those of a layer's feed-forward part. */
export function lfm2Tensors(
  config: DecoderConfig,
  tied: boolean,
  feedForward: (config: DecoderConfig, layer: number) => readonly StoredTensor[],
): readonly StoredTensor[] {
  const { embedDim: C, numHeads, numKvHeads, layerTypes } = config;
  const D = headDim(config);
  const mixer = mixerOf(config);
  const convolution = (): StoredTensor[] => {
    const N = mixer?.axes?.["N"] ?? 0;
    return [
      under("attention", "conv", [
        fused(["key", "query", "value"], "in_proj", stacked([C, C, C]), C),
        reshaped("taps.value", "conv.weight", { stored: [C, 1, N], own: [1, C, N] }),
        ...(mixer?.bias ? [reshaped("bias.value", "conv.bias", { stored: [C], own: [1, C] })] : []),
        linear("output", "out_proj", [C, C]),
      ]),
    ];
  };
  const attention = (): StoredTensor[] => [
    under("attention", "self_attn", [
      linear("query", "q_proj", [numHeads * D, C]),
      linear("key", "k_proj", [numKvHeads * D, C]),
      linear("value", "v_proj", [numKvHeads * D, C]),
      linear("output", "out_proj", [C, numHeads * D]),
      norm("queryNorm", "q_layernorm", D),
      norm("keyNorm", "k_layernorm", D),
    ]),
  ];
  return [
    embedding(config),
    each(config.numLayers, "layers", "model.layers", (i) => [
      norm("attentionNorm", "operator_norm", C),
      norm("feedForwardNorm", "ffn_norm", C),
      ...(isMixer(layerTypes?.[i]) ? convolution() : attention()),
      ...feedForward(config, i),
    ]),
    norm("norm", "model.embedding_norm", C),
    ...(tied ? [] : [head(config)]),
  ];
}

/** LFM2: gated short convolutions, and attention with normalized queries and keys in a few layers. */
export const lfm2: Architecture = {
  modelTypes: ["lfm2"],
  class: "Lfm2ForCausalLM",
  tied: true,
  config: () => lfm2Config(hiddenDim),
  tensors: (config, tied) =>
    lfm2Tensors(config, tied, (config) =>
      feedForwardMaps(config, { feedForward: "feed_forward", maps: lfm2Maps }),
    ),
  ignored:
    "block_use_swiglu block_norm_eps block_use_xavier_init conv_use_xavier_init conv_dim conv_dim_out use_pos_enc",
};
