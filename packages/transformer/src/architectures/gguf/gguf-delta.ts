import type { MixerLayerConfig } from "@qkv/attention";
import { stacked, type RowMap } from "../../conversions/row-map.js";
import type { DecoderConfig, LayerType } from "../../models/decoder-config.js";
import { headDim, type ConfigEntry } from "../config-entry.js";
import { isMixer, mixerConfig } from "../mixed-layers.js";
import { deltaMixer } from "../delta-parts.js";
import { rowsByGroup } from "../rows-by-group.js";
import { fused, linear, norm, parts, under, type StoredTensor } from "../stored-tensor.js";
import { gguf, type GgufArchitecture, type GgufRefusal } from "./gguf-architecture.js";
import type { MixerKeys } from "./gguf-layers.js";
import { minusExp } from "./minus-exp.js";

const deltaKeys: MixerKeys = {
  read(fields, { embedDim = 1, normEps = 1e-6 }) {
    const heads = fields.count("ssm.time_step_rank");
    const values = fields.count("ssm.inner_size");
    if (values % heads !== 0)
      return fields.refuse("ssm.inner_size", `a multiple of ssm.time_step_rank = ${heads}`);
    return deltaMixer({
      ...{ embedDim, normEps, heads },
      groups: fields.count("ssm.group_count"),
      keyDim: fields.count("ssm.state_size"),
      valueDim: values / heads,
      taps: fields.count("ssm.conv_kernel"),
    });
  },
  write: ({ numHeads, numKeyHeads, keyDim, valueDim = 1, convolution }) => ({
    "ssm.time_step_rank": numHeads,
    "ssm.group_count": numKeyHeads,
    "ssm.state_size": keyDim,
    "ssm.inner_size": numHeads * valueDim,
    "ssm.conv_kernel": convolution,
  }),
};

/** Layers with the gated delta rule, except the last layer of each period, which has attention. */
const periods: ConfigEntry = {
  read(fields, config) {
    const layer = deltaKeys.read(fields, config);
    const period = fields.countOr(4, periodKey);
    return {
      layerTypes: Array.from({ length: config.numLayers ?? 0 }, (_, i): LayerType =>
        (i + 1) % period === 0 ? "full" : (layer as never),
      ),
    };
  },
  write(config) {
    const first = config.layerTypes?.findIndex((type) => !isMixer(type)) ?? 0;
    const mixer = mixerConfig(config);
    return {
      ...(mixer && deltaKeys.write(mixer)),
      [periodKey]: first < 0 ? config.numLayers + 1 : first + 1,
    };
  },
};

const periodKey = "full_attention_interval";

/** `rope.dimension_sections`: sections of rotated pairs for multi-axis positions (M-RoPE). For text, all axes are equal. */
export const ropeSections: ConfigEntry = {
  read(fields) {
    fields.list(sectionsKey);
    return {};
  },
  write(config) {
    const pairs = (config.ropeDim ?? headDim(config)) / 2;
    return { [sectionsKey]: [0, 1, 2].map((i) => Math.ceil((pairs - i) / 3)).concat(0) };
  },
};

const sectionsKey = "rope.dimension_sections";

/**
 * Row map of value heads in llama.cpp's tiled order: the first value head of each key head, then the second of each. In our
 * params, the value heads of each key head are adjacent.
 *
 * @param groups - Number of key heads.
 * @param repeats - Value heads per key head.
 * @param size - Rows per head.
 */
export const tiledRows = (groups: number, repeats: number, size: number): RowMap => ({
  sizes: [groups * repeats * size],
  to(row) {
    const head = Math.floor(row / size);
    return [0, ((head % groups) * repeats + Math.floor(head / groups)) * size + (row % size)];
  },
});

/** Sizes of a mixer: G key heads, each shared by `repeats` value heads, H value heads in total. */
type Sizes = { groups: number; repeats: number; K: number; V: number; H: number; C: number };

/** Row orders of a mixer in a file, and its projections. */
type Orders = {
  /** Row map of the channels of the convolution: queries, keys and values. */
  channels: RowMap;
  /** Row map of one number per value head. */
  heads: RowMap;
  /** Column map of the output projection. */
  columns: RowMap;
  maps: readonly StoredTensor[];
};

/** An architecture of llama.cpp whose layers are Gated DeltaNet or gated attention. */
export const ggufDelta = (
  name: string,
  { keys, delta }: { keys: readonly ConfigEntry[]; delta: (sizes: Sizes) => Orders },
): GgufArchitecture =>
  gguf(name, {
    freeHeads: true,
    partialRotary: true,
    traits: { qkNorm: true, attentionGate: "elementwise" },
    keys: [periods, ...keys],
    refuses: refuseOtherValueDim,
    names: {
      norms: { attentionNorm: "attn_norm", feedForwardNorm: "post_attention_norm" },
      attention: (config, layer) => [
        under(
          "attention",
          "",
          isMixer(config.layerTypes?.[layer])
            ? mixerTensors(mixerConfig(config)!, delta)
            : gatedAttention(config),
        ),
      ],
    },
  });

/** Refuses a value dimension that differs from the key dimension. */
function refuseOtherValueDim(config: DecoderConfig): GgufRefusal | undefined {
  const { keyDim, valueDim } = mixerConfig(config) ?? {};
  return keyDim === valueDim
    ? undefined
    : {
        argument: "config.layerTypes",
        received: `a mixer with valueDim ${valueDim}`,
        expected: `valueDim = keyDim = ${keyDim}`,
      };
}

function mixerTensors(mixer: MixerLayerConfig, delta: (sizes: Sizes) => Orders): StoredTensor[] {
  const { embedDim: C, numHeads: H, numKeyHeads: groups = H, keyDim: K = 0, valueDim: V = 0 } = mixer;
  const { channels, heads, columns, maps } = delta({ groups, repeats: H / groups, K, V, H, C });
  const taps = mixer.convolution ?? 0;
  return [
    ...maps,
    parts(
      ["query", "key", "value"].map((input) => `convolution.${input}.weight`),
      "ssm_conv1d.weight",
      channels,
      [taps],
      [1, taps],
    ),
    minusExp("decay.logRate", "ssm_a", { stored: [H], inParams: [H], order: heads }),
    parts(["decay.bias"], "ssm_dt.bias", heads),
    norm("outputNorm", "ssm_norm", V),
    fused(["output"], "ssm_out", stacked([C]), H * V, { columns }),
  ];
}

function gatedAttention(config: DecoderConfig): StoredTensor[] {
  const { embedDim: C, numHeads: H, numKvHeads } = config;
  const D = headDim(config);
  return [
    fused(["query", "gate"], "attn_q", rowsByGroup(H, [D, D]), C),
    linear("key", "attn_k", [numKvHeads * D, C]),
    linear("value", "attn_v", [numKvHeads * D, C]),
    linear("output", "attn_output", [C, H * D]),
    norm("queryNorm", "attn_q_norm", D),
    norm("keyNorm", "attn_k_norm", D),
  ];
}
