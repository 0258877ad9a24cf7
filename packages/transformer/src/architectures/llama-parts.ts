import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { count, headDim, headSize, positive, type ConfigEntry } from "./config-entry.js";
import { each, fused, linear, norm, stored, under, type StoredTensor } from "./stored-tensor.js";

/** Sizes under the names that Llama gave them, which most decoders took over. `width`: of feed-forward layers. */
export const llamaSizes = (width = "intermediate_size"): readonly ConfigEntry[] => [
  count("vocabSize", "vocab_size"),
  count("embedDim", "hidden_size"),
  count("hiddenDim", width),
  count("numLayers", "num_hidden_layers"),
  count("numHeads", "num_attention_heads"),
  count("numKvHeads", "num_key_value_heads", ({ numHeads }) => numHeads),
  headSize(),
  count("contextLength", "max_position_embeddings"),
];

/** The epsilon of RMS norms. */
export const rmsEps = (fallback = 1e-6): ConfigEntry => positive("normEps", "rms_norm_eps", fallback);

/** Names and layouts in which decoders of Llama's kind differ. */
export type LlamaNames = {
  /** Names of a layer's norms, by their params. */
  norms?: Readonly<Record<string, string>>;
  /** The norm after the last layer. Default `model.norm`. */
  lastNorm?: string;
  /** Is added to stored gains. Default 0. */
  plus?: number;
  /** Path of attention. Default `self_attn`. */
  path?: string;
  /** Gate and up projection in one matrix. Default: each its own. */
  gateUp?: string;
  /** Path of the feed-forward layer. Default `mlp`. */
  feedForward?: string;
  /** Its place in params. Default `feedForward`. */
  place?: string;
  /** Names of the maps of a feed-forward layer. */
  maps?: { gate?: string; up: string; down: string };
  /** Entries of a layer's attention. Default: its four maps. */
  attention?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
  /** Entries of a layer's feed-forward part. Default: its three maps. */
  feed?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
  /** Entries of a layer besides. */
  more?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
};

/** Norms before both parts. */
export const preNorms = {
  attentionNorm: "input_layernorm",
  feedForwardNorm: "post_attention_layernorm",
} as const;

/** Norms of what both parts add, alone. */
export const outNorms = {
  attentionNorm: "post_attention_layernorm",
  feedForwardNorm: "post_feedforward_layernorm",
} as const;

/** Tensors of a decoder of Llama's kind. */
export const llamaTensors = (
  config: DecoderConfig,
  tied: boolean,
  names: LlamaNames = {},
): readonly StoredTensor[] => [
  embedding(config),
  each(config.numLayers, "layers", "model.layers", (i) => [
    ...layerNorms(config, names),
    ...(names.attention?.(config, i) ?? attentionMaps(config, names)),
    ...(names.feed?.(config, i) ?? feedForwardMaps(config, names)),
    ...(names.more?.(config, i) ?? []),
  ]),
  norm("norm", names.lastNorm ?? "model.norm", config.embedDim, { plus: names.plus ?? 0 }),
  ...(tied ? [] : [head(config)]),
];

export const embedding = ({ vocabSize: V, embedDim: C }: DecoderConfig, name = "model.embed_tokens.weight") =>
  stored("embedding.weight", name, [V, C], "table");

export const head = ({ vocabSize: V, embedDim: C }: DecoderConfig, name = "lm_head.weight") =>
  stored("output.weight", name, [V, C], "matrix");

export const layerNorms = ({ embedDim: C }: DecoderConfig, { norms = preNorms, plus = 0 }: LlamaNames) =>
  Object.entries(norms).map(([place, name]) => norm(place, name, C, { plus }));

/**
 * Projections of a layer's attention, and the norms of queries and keys.
 *
 * @param makes - False in a layer that reads the keys and values of another. Default true.
 */
export function attentionMaps(
  config: DecoderConfig,
  { plus = 0, path = "self_attn" }: LlamaNames = {},
  makes = true,
): StoredTensor[] {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, qkNorm } = config;
  const D = headDim(config);
  const [queryGain, keyGain] = qkNorm === "heads" ? [H * D, Hkv * D] : [D, D];
  return [
    linear("attention.query", `${path}.q_proj`, [H * D, C]),
    ...(makes
      ? [
          linear("attention.key", `${path}.k_proj`, [Hkv * D, C]),
          linear("attention.value", `${path}.v_proj`, [Hkv * D, C]),
        ]
      : []),
    linear("attention.output", `${path}.o_proj`, [C, H * D]),
    ...(qkNorm && qkNorm !== "unit"
      ? [
          norm("attention.queryNorm", `${path}.q_norm`, queryGain, { plus }),
          ...(makes ? [norm("attention.keyNorm", `${path}.k_norm`, keyGain, { plus })] : []),
        ]
      : []),
  ];
}

/** Maps of a layer's feed-forward part. */
export function feedForwardMaps(
  { embedDim: C, hiddenDim: F, gated = true }: DecoderConfig,
  { gateUp, feedForward = "mlp", place = "feedForward", maps }: LlamaNames = {},
): StoredTensor[] {
  const { gate = "gate_proj", up, down } = maps ?? { up: "up_proj", down: "down_proj" };
  const raised =
    gateUp !== undefined
      ? [fused(["gate", "up"], gateUp, stacked([F, F]), C)]
      : [...(gated ? [linear("gate", gate, [F, C])] : []), linear("up", up, [F, C])];
  return [under(place, feedForward, [...raised, linear("down", down, [C, F])])];
}
