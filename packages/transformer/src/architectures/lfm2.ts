import { mixerLayer, shortConvolution, type MixerLayer } from "@qkv/attention";
import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { count, headDim, positive, rope, trait, type ConfigEntry } from "./config-entry.js";
import { gguf, type GgufArchitecture } from "./gguf/gguf-architecture.js";
import { mixersWithoutHeads, type MixerKeys } from "./gguf/gguf-layers.js";
import { headLengths } from "./gguf/gguf-keys.js";
import { attentionTensors } from "./gguf/gguf-tensors.js";
import { embedding, feedForwardProjections, head } from "./llama-parts.js";
import { isMixer, mixedTypes, mixerConfig } from "./mixed-layers.js";
import { each, fused, linear, norm, reshaped, under, type StoredTensor } from "./stored-tensor.js";

/** Hidden width: that of the file, or two thirds of it, rounded up to a multiple (`block_auto_adjust_ff_dim`). */
const hiddenDim: ConfigEntry = {
  read(fields) {
    const fileWidth = fields.count("intermediate_size", "block_ff_dim");
    const factor = fields.positive("block_ffn_dim_multiplier", 1);
    const multiple = fields.countOr(256, "block_multiple_of");
    if (!fields.flag("block_auto_adjust_ff_dim", true)) return { hiddenDim: fileWidth };
    const adjusted = Math.floor(factor * Math.floor((2 * fileWidth) / 3));
    return { hiddenDim: multiple * Math.ceil(adjusted / multiple) };
  },
  write: ({ hiddenDim }) => ({ intermediate_size: hiddenDim, block_auto_adjust_ff_dim: false }),
};

const identity = <T>(x: T): T => x;

/** A gated short convolution of `taps` tokens. */
const convolutionLayer = (embedDim: number, taps: number, bias = false) =>
  mixerLayer({
    embedDim,
    numHeads: 1,
    mixer: shortConvolution(),
    axes: { N: taps },
    outputNorm: "none",
    bias,
    ...(bias && { inputs: { bias: identity } }),
  });

/** Layer types: short convolution or attention. */
const convolutionLayers: ConfigEntry = {
  read(fields, { embedDim = 1, numLayers = 0 }) {
    const bias = fields.flag("conv_bias", false);
    const layer = convolutionLayer(embedDim, fields.countOr(3, "conv_L_cache"), bias);
    const listedTypes = mixedTypes(fields, numLayers);
    // Some files list the indices of attention layers, instead of `layer_types` or in addition.
    const full = fields.list("full_attn_idxs");
    const types =
      listedTypes ??
      Array.from({ length: numLayers }, (_, i) =>
        full === undefined || full.includes(i) ? "full" : "mixer",
      );
    return { layerTypes: types.map((type) => (type === "mixer" ? layer : type)) };
  },
  write(config) {
    const mixer = mixerConfig(config);
    return {
      conv_bias: mixer?.bias ?? false,
      ...(mixer?.axes && { conv_L_cache: mixer.axes["N"] }),
      layer_types: Array.from({ length: config.numLayers }, (_, i) =>
        isMixer(config.layerTypes?.[i]) ? "conv" : "full_attention",
      ),
    };
  },
};

/** Entries of LFM2. `feedForward`: the entries of its feed-forward layers. */
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

/** Names of the projections of feed-forward layers. */
export const lfm2Maps = { gate: "w1", up: "w3", down: "w2" } as const;

/** Tensors of a short convolution, with its prefix in the file. `taps`: the shape of the kernel there. */
function convolutionTensors(
  config: DecoderConfig,
  path: string,
  taps: (C: number, N: number) => readonly number[],
): StoredTensor {
  const { embedDim: C } = config;
  const { axes, bias } = mixerConfig(config)!;
  const N = axes?.["N"] ?? 0;
  return under("attention", path, [
    fused(["key", "query", "value"], "in_proj", stacked([C, C, C]), C),
    reshaped("taps.value", "conv.weight", { stored: taps(C, N), inParams: [1, C, N] }),
    ...(bias ? [reshaped("bias.value", "conv.bias", { stored: [C], inParams: [1, C] })] : []),
    linear("output", "out_proj", [C, C]),
  ]);
}

/** Tensors of LFM2, with those of the given feed-forward layers. */
export function lfm2Tensors(
  config: DecoderConfig,
  tied: boolean,
  feedForward: (config: DecoderConfig, layer: number) => readonly StoredTensor[],
): readonly StoredTensor[] {
  const { embedDim: C, numHeads, numKvHeads, layerTypes } = config;
  const D = headDim(config);
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
      ...(isMixer(layerTypes?.[i]) ? [convolutionTensors(config, "conv", (C, N) => [C, 1, N])] : attention()),
      ...feedForward(config, i),
    ]),
    norm("norm", "model.embedding_norm", C),
    ...(tied ? [] : [head(config)]),
  ];
}

/** llama.cpp's architectures for LFM2, without and with experts. */
export const lfm2Gguf = (name: string, keys: readonly ConfigEntry[] = []): GgufArchitecture =>
  gguf(name, {
    traits: { qkNorm: true },
    heads: [headLengths],
    keys: [mixersWithoutHeads(convolutionKeys), ...keys],
    names: {
      lastNorm: "token_embd_norm",
      attention: (config, layer) =>
        isMixer(config.layerTypes?.[layer])
          ? [convolutionTensors(config, "shortconv", (C, N) => [C, N])]
          : attentionTensors(config, { ropeLayout: "half" }),
    },
  });

const convolutionKeys: MixerKeys = {
  read: (fields, { embedDim = 1 }) =>
    convolutionLayer(embedDim, fields.count("shortconv.l_cache")) as unknown as MixerLayer,
  write: ({ axes }) => ({ "shortconv.l_cache": axes?.["N"] }),
};

/** LFM2: gated short convolutions, and attention with norms of queries and keys in a few layers. */
export const lfm2: Architecture = {
  modelTypes: ["lfm2"],
  class: "Lfm2ForCausalLM",
  tied: true,
  config: () => lfm2Config(hiddenDim),
  gguf: () => [lfm2Gguf("lfm2")],
  tensors: (config, tied) =>
    lfm2Tensors(config, tied, (config) =>
      feedForwardProjections(config, { feedForward: "feed_forward", maps: lfm2Maps }),
    ),
  ignored:
    "block_use_swiglu block_norm_eps block_use_xavier_init conv_use_xavier_init conv_dim conv_dim_out use_pos_enc",
};
