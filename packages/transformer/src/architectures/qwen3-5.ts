import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig, LayerType } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, bias, headDim, partialRope, rope, trait, type ConfigEntry } from "./config-entry.js";
import { deltaMixer } from "./delta-parts.js";
import { embedding, feedForwardProjections, head, layerNorms, llamaSizes, rmsEps } from "./llama-parts.js";
import type { GgufArchitecture } from "./gguf/gguf-architecture.js";
import { fusedRows } from "./gguf/gguf-tensors.js";
import { ggufDelta, ropeSections, tiledRows } from "./gguf/gguf-delta.js";
import { isMixer, mixedTypes, mixerConfig } from "./mixed-layers.js";
import { rowsByGroup } from "./rows-by-group.js";
import { each, fused, linear, norm, parts, stored, under, type StoredTensor } from "./stored-tensor.js";

/** Gated DeltaNet or attention. Default: attention in every fourth layer. */
const deltaLayers: ConfigEntry = {
  read(fields, { embedDim = 1, numLayers = 0, normEps = 1e-6 }) {
    const layer = deltaMixer({
      ...{ embedDim, normEps },
      heads: fields.countOr(32, "linear_num_value_heads"),
      groups: fields.countOr(16, "linear_num_key_heads"),
      keyDim: fields.countOr(128, "linear_key_head_dim"),
      valueDim: fields.countOr(128, "linear_value_head_dim"),
      taps: fields.countOr(4, "linear_conv_kernel_dim"),
    });
    const interval = fields.countOr(4, "full_attention_interval");
    const types =
      mixedTypes(fields, numLayers) ??
      Array.from({ length: numLayers }, (_, i) => ((i + 1) % interval === 0 ? "full" : "mixer"));
    return { layerTypes: types.map((type): LayerType => (type === "mixer" ? (layer as never) : type)) };
  },
  write(config) {
    const mixer = mixerConfig(config);
    return {
      ...(mixer && {
        linear_num_value_heads: mixer.numHeads,
        linear_num_key_heads: mixer.numKeyHeads,
        linear_key_head_dim: mixer.keyDim,
        linear_value_head_dim: mixer.valueDim,
        linear_conv_kernel_dim: mixer.convolution,
      }),
      layer_types: Array.from({ length: config.numLayers }, (_, i) =>
        isMixer(config.layerTypes?.[i]) ? "linear_attention" : "full_attention",
      ),
    };
  },
};

/** Entries of the hybrid models of Qwen. */
export const qwenHybridConfig = (width?: string): readonly ConfigEntry[] => [
  ...llamaSizes(width),
  rmsEps(),
  activation(),
  rope(),
  partialRope("partial_rotary_factor", 0.25),
  bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
  trait({ qkNorm: true, attentionGate: "elementwise" }),
  deltaLayers,
];

/** Input projections of Gated DeltaNet: separate, or fused per key head. */
export type DeltaProjections = (sizes: {
  K: number;
  V: number;
  H: number;
  groups: number;
  C: number;
}) => StoredTensor[];

/** Separate projections, as in Qwen 3.5. */
export const ownDeltaProjections: DeltaProjections = ({ K, V, H, groups, C }) => [
  fused(["query", "key", "value"], "in_proj_qkv", stacked([groups * K, groups * K, H * V]), C),
  linear("outputGate", "in_proj_z", [H * V, C]),
  linear("beta", "in_proj_b", [H, C]),
  fused(["decay"], "in_proj_a", stacked([H]), C, { ownBiases: true }),
];

/** Tensors of the hybrid models of Qwen. */
export const qwenHybridTensors = (
  config: DecoderConfig,
  tied: boolean,
  maps: DeltaProjections = ownDeltaProjections,
  feedForward: (config: DecoderConfig, layer: number) => readonly StoredTensor[] = (config) =>
    feedForwardProjections(config),
): readonly StoredTensor[] => {
  const { embedDim: C, numHeads, numKvHeads, layerTypes } = config;
  const D = headDim(config);
  const mixer = mixerConfig(config);
  const delta = (): StoredTensor[] => {
    const {
      numHeads: H,
      numKeyHeads: groups = H,
      keyDim: K = 0,
      valueDim: V = 0,
      convolution: taps = 0,
    } = mixer!;
    const channels = [groups * K, groups * K, H * V];
    return [
      under("attention", "linear_attn", [
        ...maps({ K, V, H, groups, C }),
        parts(
          ["query", "key", "value"].map((name) => `convolution.${name}.weight`),
          "conv1d.weight",
          channels,
          [1, taps],
        ),
        stored("decay.logRate", "A_log", [H]),
        stored("decay.bias", "dt_bias", [H]),
        norm("outputNorm", "norm", V),
        linear("output", "out_proj", [C, H * V]),
      ]),
    ];
  };
  const attention = (): StoredTensor[] => [
    under("attention", "self_attn", [
      fused(["query", "gate"], "q_proj", rowsByGroup(numHeads, [D, D]), C),
      linear("key", "k_proj", [numKvHeads * D, C]),
      linear("value", "v_proj", [numKvHeads * D, C]),
      linear("output", "o_proj", [C, numHeads * D]),
      norm("queryNorm", "q_norm", D, { plus: 1 }),
      norm("keyNorm", "k_norm", D, { plus: 1 }),
    ]),
  ];
  return [
    embedding(config),
    each(config.numLayers, "layers", "model.layers", (i) => [
      ...layerNorms(config, { plus: 1 }),
      ...(isMixer(layerTypes?.[i]) ? delta() : attention()),
      ...feedForward(config, i),
    ]),
    norm("norm", "model.norm", C, { plus: 1 }),
    ...(tied ? [] : [head(config)]),
  ];
};

/** llama.cpp's architecture for Qwen 3.5, with value heads in tiled order. */
export const ggufQwen35 = (name: string, keys: readonly ConfigEntry[] = []): GgufArchitecture =>
  ggufDelta(name, {
    keys: [ropeSections, ...keys],
    delta: ({ groups, repeats, K, V, C }) => {
      const [values, heads] = [tiledRows(groups, repeats, V), tiledRows(groups, repeats, 1)];
      const channels = fusedRows([stacked([groups * K]), stacked([groups * K]), values]);
      return {
        channels,
        heads,
        columns: values,
        maps: [
          fused(["query", "key", "value"], "attn_qkv", channels, C),
          fused(["outputGate"], "attn_gate", values, C),
          fused(["beta"], "ssm_beta", heads, C),
          fused(["decay"], "ssm_alpha", heads, C, { ownBiases: true }),
        ],
      };
    },
  });

/** Ignored fields. */
export const qwen35Ignored =
  "mrope_section mrope_interleaved mamba_ssm_dtype mtp_num_hidden_layers mtp_use_dedicated_embeddings";

/** Qwen 3.5: Gated DeltaNet and gated attention. */
export const qwen35: Architecture = {
  modelTypes: ["qwen3_5_text"],
  class: "Qwen3_5ForCausalLM",
  config: () => qwenHybridConfig(),
  gguf: () => [ggufQwen35("qwen35")],
  tensors: (config, tied) => qwenHybridTensors(config, tied),
  ignored: qwen35Ignored,
  ignoredTensors: /^mtp\./,
};
