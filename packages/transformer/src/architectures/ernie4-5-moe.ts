import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufExperts, ggufSharedWidth, ggufTopKNormalization } from "./gguf/gguf-experts.js";
import { activation, always, rope, trait, requireValue, type ConfigEntry } from "./config-entry.js";
import {
  expertCounts,
  expertLayerTensors,
  firstDenseLayers,
  hasExperts,
  expertsEntry,
  sharedExperts,
} from "./expert-parts.js";
import { feedForwardProjections, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { reshaped } from "./stored-tensor.js";

type Span = { start: number; end: number; step: number };

/** For each layer, true if it is between `start` and `end` and its index plus 1 is a multiple of `step`. */
const layersInSpan = (numLayers: number, { start, end, step }: Span): boolean[] =>
  Array.from({ length: numLayers }, (_, i) => i >= start && i <= end && (i + 1) % step === 0);

/** Layers with experts: every `moe_layer_interval`-th layer between two indices; an end index of -1 is the last layer. */
const layersWithExperts: ConfigEntry = /* @__PURE__ */ expertsEntry(
  (fields, { numLayers = 0 }) => {
    const last = fields.number("moe_layer_end_index", -1);
    const layers = layersInSpan(numLayers, {
      start: fields.number("moe_layer_start_index", 1),
      end: last === -1 ? numLayers - 1 : last,
      step: fields.countOr(1, "moe_layer_interval"),
    });
    return layers.includes(false) ? { layers } : {};
  },
  ({ layers }, { numLayers }) => {
    const [start, end] = layers ? [layers.indexOf(true), layers.lastIndexOf(true)] : [0, numLayers - 1];
    // The interval is the distance between the first two layers. For a single layer, it is the index plus 1.
    const next = layers?.indexOf(true, start + 1) ?? start + 1;
    const step = next < 0 ? start + 1 : next - start;
    return { moe_layer_start_index: start, moe_layer_end_index: end, moe_layer_interval: step };
  },
);

/** Softmax scores, with a correction bias for the choice of experts. */
const choiceBias: ConfigEntry = /* @__PURE__ */ expertsEntry(
  () => ({ router: { choiceBias: true } }),
  () => ({}),
);

/** The number of shared experts, which llama.cpp does not read: it uses their total width. */
const sharedCount: ConfigEntry = {
  read(fields) {
    fields.countOr(undefined, "expert_shared_count");
    return {};
  },
  write: () => ({}),
};

/** Minimum of the sum that routing weights are divided by. No sum of softmax scores is below it, so it has no effect. */
const minNormalizer: ConfigEntry = {
  read(fields) {
    const minimum = fields.number("moe_norm_min", 1e-12);
    return minimum > 1e-6 ? fields.unsupported("moe_norm_min", "at most 1e-6, which changes no shares") : {};
  },
  write: () => ({}),
};

/** Tensors of the experts of a layer, whose correction bias is stored as `[1, numExperts]`; or of the feed-forward layer. */
function feed(config: DecoderConfig, layer: number) {
  if (!hasExperts(config, layer)) return feedForwardProjections(config);
  const { router: _, ...experts } = config.experts!;
  const { numExperts: E } = experts;
  const name = "mlp.moe_statics.e_score_correction_bias";
  return [
    ...expertLayerTensors({ ...config, experts }),
    reshaped("feedForward.router.choiceBias", name, { stored: [1, E], inParams: [E] }),
  ];
}

/** ERNIE 4.5 MoE: ERNIE 4.5 with experts, chosen by softmax scores plus a correction bias, and shared experts. */
export const ernie45Moe: Architecture = {
  modelTypes: ["ernie4_5_moe"],
  class: "Ernie4_5_MoeForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope({ base: 500_000 }),
    trait({ ropeLayout: "interleaved" }),
    expertCounts("moe_num_experts", "moe_intermediate_size", "moe_k"),
    sharedExperts("moe_num_shared_experts", 2),
    choiceBias,
    layersWithExperts,
    minNormalizer,
    requireValue("use_bias", false),
    requireValue("moe_gate", "topk"),
    requireValue("moe_use_aux_free", true),
  ],
  gguf: () => [
    gguf("ernie4_5-moe", {
      freeHeads: true,
      ropeLayout: "interleaved",
      keys: [
        ...[ggufExperts, ggufTopKNormalization(true), choiceBias, ggufSharedWidth(), sharedCount],
        // With other intervals, llama.cpp requires experts in layers that it then reads as dense.
        ...[always("interleave_moe_layer_step", 1), firstDenseLayers(0, "leading_dense_block_count")],
      ],
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed }),
  tied: true,
  ignored: "moe_capacity num_nextn_predict_layers auto_map",
  // Multi-token prediction (MTP) layers, which inference does not use.
  ignoredTensors: /(^|\.)mtp_/,
};
