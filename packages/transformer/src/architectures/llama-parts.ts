import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { count, headDim, headSize, positive, type ConfigEntry } from "./config-entry.js";
import { each, fused, linear, norm, stored, under, type StoredTensor } from "./stored-tensor.js";

/** Sizes with the field names of Llama, which most decoders use. `width`: the field for the hidden width. */
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

/** Names and layouts of tensors that differ between decoders similar to Llama. */
export type LlamaNames = {
  /** Names of a layer's norms, by their params. */
  norms?: Readonly<Record<string, string>>;
  /** The final norm. Default `model.norm`. */
  lastNorm?: string;
  /** Offset added to the stored gains of norms. Default 0. */
  plus?: number;
  /** Name of the attention module. Default `self_attn`. */
  path?: string;
  /** Name of the fused gate and up projection. Default: separate matrices. */
  gateUp?: string;
  /** Name of the feed-forward module. Default `mlp`. */
  feedForward?: string;
  /** Path of the feed-forward layer in params. Default `feedForward`. */
  param?: string;
  /** Names of the projections of a feed-forward layer. */
  maps?: { gate?: string; up: string; down: string };
  /** Entries for the attention of a layer. Default: its four projections. */
  attention?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
  /** Entries for the feed-forward layer. Default: its three projections. */
  feed?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
  /** Further entries of a layer. */
  more?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
};

/** Names of the norms in a pre-norm layer. */
export const preNorms = {
  attentionNorm: "input_layernorm",
  feedForwardNorm: "post_attention_layernorm",
} as const;

/** Names of the norms in a layer that normalizes only the output of each sublayer. */
export const outNorms = {
  attentionNorm: "post_attention_layernorm",
  feedForwardNorm: "post_feedforward_layernorm",
} as const;

/** Tensors of a decoder similar to Llama. */
export const llamaTensors = (
  config: DecoderConfig,
  tied: boolean,
  names: LlamaNames = {},
): readonly StoredTensor[] => [
  embedding(config),
  each(config.numLayers, "layers", "model.layers", (i) => [
    ...layerNorms(config, names),
    ...(names.attention?.(config, i) ?? attentionProjections(config, names)),
    ...(names.feed?.(config, i) ?? feedForwardProjections(config, names)),
    ...(names.more?.(config, i) ?? []),
  ]),
  norm("norm", names.lastNorm ?? "model.norm", config.embedDim, { plus: names.plus ?? 0 }),
  ...(tied ? [] : [head(config)]),
];

/** The embedding matrix, `[V, C]`. */
export const embedding = ({ vocabSize: V, embedDim: C }: DecoderConfig, name = "model.embed_tokens.weight") =>
  stored("embedding.weight", name, [V, C], "table");

/** The output projection, `[V, C]`. */
export const head = ({ vocabSize: V, embedDim: C }: DecoderConfig, name = "lm_head.weight") =>
  stored("output.weight", name, [V, C], "matrix");

/** The norms of a layer. */
export const layerNorms = ({ embedDim: C }: DecoderConfig, { norms = preNorms, plus = 0 }: LlamaNames) =>
  Object.entries(norms).map(([param, name]) => norm(param, name, C, { plus }));

/**
 * Projections of a layer's attention, and the norms of queries and keys.
 *
 * @param ownsKeyValues - False for a layer that reuses the keys and values of another. Default true.
 */
export function attentionProjections(
  config: DecoderConfig,
  { plus = 0, path = "self_attn" }: LlamaNames = {},
  ownsKeyValues = true,
): StoredTensor[] {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, qkNorm } = config;
  const D = headDim(config);
  const [queryGain, keyGain] = qkNorm === "heads" ? [H * D, Hkv * D] : [D, D];
  return [
    linear("attention.query", `${path}.q_proj`, [H * D, C]),
    ...(ownsKeyValues
      ? [
          linear("attention.key", `${path}.k_proj`, [Hkv * D, C]),
          linear("attention.value", `${path}.v_proj`, [Hkv * D, C]),
        ]
      : []),
    linear("attention.output", `${path}.o_proj`, [C, H * D]),
    ...(qkNorm && qkNorm !== "unit"
      ? [
          norm("attention.queryNorm", `${path}.q_norm`, queryGain, { plus }),
          ...(ownsKeyValues ? [norm("attention.keyNorm", `${path}.k_norm`, keyGain, { plus })] : []),
        ]
      : []),
  ];
}

/** Projections of a feed-forward layer. */
export function feedForwardProjections(
  { embedDim: C, hiddenDim: F, gated = true }: DecoderConfig,
  { gateUp, feedForward = "mlp", param = "feedForward", maps }: LlamaNames = {},
): StoredTensor[] {
  const { gate = "gate_proj", up, down } = maps ?? { up: "up_proj", down: "down_proj" };
  const inner =
    gateUp !== undefined
      ? [fused(["gate", "up"], gateUp, stacked([F, F]), C)]
      : [...(gated ? [linear("gate", gate, [F, C])] : []), linear("up", up, [F, C])];
  return [under(param, feedForward, [...inner, linear("down", down, [C, F])])];
}
