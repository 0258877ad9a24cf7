import type { MixerLayerConfig } from "@qkv/attention";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { jambaTensorNames } from "./bamba.js";
import { activation, trait, requireValue, type ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { expertCounts, feedForwardOrExperts, expertsEntry } from "./expert-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import {
  layersWithRouter,
  ggufTopKNormalization,
  ggufWideExperts,
  router,
  optionalExperts,
} from "./gguf/gguf-experts.js";
import { mixersWithoutHeads } from "./gguf/gguf-layers.js";
import { headLengths } from "./gguf/gguf-keys.js";
import { ggufMambaTensors, mambaKeys, refuseOtherInnerWidth } from "./gguf/gguf-mamba.js";
import { layersWith } from "./gguf/gguf-presence.js";
import { attentionTensors } from "./gguf/gguf-tensors.js";
import { attentionProjections, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { mambaFields, mambaLayer, mambaTensors, type MambaNames } from "./mamba-parts.js";
import { isMixer, mixerConfig } from "./mixed-layers.js";
import { normMap } from "./norm-map.js";
import { stored, type StoredTensor } from "./stored-tensor.js";

const names: MambaNames = {
  channels: [],
  expand: "mamba_expand",
  state: "mamba_d_state",
  taps: "mamba_d_conv",
  rank: "mamba_dt_rank",
  convolutionBias: "mamba_conv_bias",
  bias: "mamba_proj_bias",
};

/** For each layer, true if its index modulo the period is the offset, such as `attn_layer_period` and `attn_layer_offset`. */
function everyLayers(
  fields: ConfigFields,
  kind: string,
  numLayers: number,
  fallback: readonly [period: number, offset: number],
): boolean[] {
  const period = fields.countOr(fallback[0], `${kind}_layer_period`);
  const name = `${kind}_layer_offset`;
  const offset = fields.number(name, fallback[1]);
  if (!Number.isInteger(offset) || offset < 0 || offset >= period)
    return fields.refuse(name, `an integer below ${kind}_layer_period = ${period}`);
  return Array.from({ length: numLayers }, (_, i) => i % period === offset);
}

/** Period and offset of the layers that are true: the shortest period that fits. */
function periodFields(kind: string, layers: readonly boolean[]) {
  for (let period = 1; period <= layers.length; period++) {
    const offset = layers.indexOf(true);
    if (offset >= 0 && offset < period && layers.every((has, i) => has === (i % period === offset)))
      return { [`${kind}_layer_period`]: period, [`${kind}_layer_offset`]: offset };
  }
  // If none is true, the offset is after the last layer.
  return { [`${kind}_layer_period`]: layers.length + 1, [`${kind}_layer_offset`]: layers.length };
}

/** Mamba layers with inner norms, and attention layers. */
const layers: ConfigEntry = {
  read(fields, { embedDim = 1, numLayers = 0, normEps = 1e-6 }) {
    const norm = normMap(normEps);
    const maps = { inputs: { key: norm, query: norm }, rankMaps: { deltaTime: norm } };
    const mixer = mambaLayer(fields, names, embedDim, maps);
    const types = everyLayers(fields, "attn", numLayers, [8, 4]).map((hasAttention) =>
      hasAttention ? "full" : mixer,
    );
    return { layerTypes: types as NonNullable<DecoderConfig["layerTypes"]> };
  },
  write: (config) => ({
    ...mambaFields(mixerConfig(config), names),
    ...periodFields(
      "attn",
      Array.from({ length: config.numLayers }, (_, i) => !isMixer(config.layerTypes?.[i])),
    ),
  }),
};

/** Experts in every `expert_layer_period`-th layer. One expert means none. */
const experts = (): readonly ConfigEntry[] =>
  [
    expertCounts("num_experts"),
    expertsEntry(
      (fields, { numLayers = 0 }) => {
        const has = everyLayers(fields, "expert", numLayers, [2, 1]);
        return has.includes(false) ? { layers: has } : {};
      },
      ({ layers }, { numLayers }) =>
        periodFields("expert", layers ?? new Array<boolean>(numLayers).fill(true)),
    ),
    // Routing weights are not renormalized; there is no field for this.
    expertsEntry(
      () => ({ normTopKProb: false }),
      () => ({}),
    ),
  ].map((entry) => ({
    read: (fields, config) => (fields.number("num_experts", 16) === 1 ? {} : entry.read(fields, config)),
    write: (config) => (config.experts ? entry.write(config) : { num_experts: 1 }),
  }));

/** Gains of the norms of time step, B and C. */
const mixerNorms = (
  { ranks, keyDim = 0 }: MixerLayerConfig,
  [step, b, c]: readonly [string, string, string],
): StoredTensor[] => [
  stored("deltaTime.gain", `${step}.weight`, [ranks?.["deltaTime"] ?? 0]),
  stored("key.gain", `${b}.weight`, [keyDim]),
  stored("query.gain", `${c}.weight`, [keyDim]),
];

/** Norms of time step, B and C in all mixers. */
const ggufKeys = /* @__PURE__ */ mambaKeys((_, { normEps = 1e-6 }) => {
  const norm = normMap(normEps);
  return { inputs: { key: norm, query: norm }, rankMaps: { deltaTime: norm } };
});

/** Jamba: Mamba with norms of time step, B and C; attention without positions in a few layers; mixture of experts. */
export const jamba: Architecture = {
  modelTypes: ["jamba"],
  class: "JambaForCausalLM",
  defaults: { num_key_value_heads: 8, max_position_embeddings: 262144 },
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    requireValue("hidden_act", "silu"),
    requireValue("sliding_window", null),
    trait({ positions: "none" }),
    ...experts(),
    layers,
  ],
  gguf: () => [
    gguf("jamba", {
      presence: [router],
      traits: { positions: "none" },
      heads: [headLengths],
      keys: [
        ...[ggufWideExperts, layersWithRouter, ggufTopKNormalization(false)].map((entry) =>
          optionalExperts(entry, (fields) => layersWith(fields, router).size > 0),
        ),
        mixersWithoutHeads(ggufKeys),
      ],
      refuses: refuseOtherInnerWidth,
      names: {
        attention(config, layer) {
          if (!isMixer(config.layerTypes?.[layer])) return attentionTensors(config, { ropeLayout: "half" });
          const mixer = mixerConfig(config)!;
          return [ggufMambaTensors(mixer, mixerNorms(mixer, ["ssm_dt_norm", "ssm_b_norm", "ssm_c_norm"]))];
        },
      },
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      ...jambaTensorNames,
      attention(config, layer) {
        if (!isMixer(config.layerTypes?.[layer])) return attentionProjections(config);
        const mixer = mixerConfig(config)!;
        return [
          mambaTensors(mixer, "mamba", mixerNorms(mixer, ["dt_layernorm", "b_layernorm", "c_layernorm"])),
        ];
      },
      feed: feedForwardOrExperts({ path: "feed_forward", router: "router" }),
    }),
  ignored: "num_logits_to_keep use_mamba_kernels expert_layer_period expert_layer_offset num_experts_per_tok",
};
