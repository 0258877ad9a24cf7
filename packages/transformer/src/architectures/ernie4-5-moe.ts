import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufExperts, ggufSharedWidth, ggufShares } from "./gguf/gguf-experts.js";
import { activation, always, rope, trait, without, type ConfigEntry } from "./config-entry.js";
import {
  expertCounts,
  expertMaps,
  firstDenseLayers,
  hasExperts,
  ofExperts,
  sharedExperts,
} from "./expert-parts.js";
import { feedForwardMaps, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { reshaped } from "./stored-tensor.js";

type Span = { start: number; end: number; step: number };

/** True for each layer from `start` to `end` whose number from 1 is a multiple of `step`. */
const layersOf = (numLayers: number, { start, end, step }: Span): boolean[] =>
  Array.from({ length: numLayers }, (_, i) => i >= start && i <= end && (i + 1) % step === 0);

/** Layers with experts: every so many between two; an end of -1 is the last layer. */
const layersWithExperts: ConfigEntry = /* @__PURE__ */ ofExperts(
  (fields, { numLayers = 0 }) => {
    const last = fields.number("moe_layer_end_index", -1);
    const layers = layersOf(numLayers, {
      start: fields.number("moe_layer_start_index", 1),
      end: last === -1 ? numLayers - 1 : last,
      step: fields.countOr(1, "moe_layer_interval"),
    });
    return layers.includes(false) ? { layers } : {};
  },
  ({ layers }, { numLayers }) => {
    const [start, end] = layers ? [layers.indexOf(true), layers.lastIndexOf(true)] : [0, numLayers - 1];
    // The distance of the first two; one alone stands at a multiple of its own number.
    const next = layers?.indexOf(true, start + 1) ?? start + 1;
    const step = next < 0 ? start + 1 : next - start;
    return { moe_layer_start_index: start, moe_layer_end_index: end, moe_layer_interval: step };
  },
);

/** Softmax scores, and a bias of the choice. */
const choiceBias: ConfigEntry = /* @__PURE__ */ ofExperts(
  () => ({ router: { choiceBias: true } }),
  () => ({}),
);

/** The number of shared experts, which llama.cpp does not read: their width says all. */
const sharedCount: ConfigEntry = {
  read(fields) {
    fields.countOr(undefined, "expert_shared_count");
    return {};
  },
  write: () => ({}),
};

/** The least sum that shares are divided by: so small that no sum of softmax scores is below it. */
const leastSum: ConfigEntry = {
  read(fields) {
    const least = fields.number("moe_norm_min", 1e-12);
    return least > 1e-6 ? fields.refuse("moe_norm_min", "at most 1e-6, which changes no shares") : {};
  },
  write: () => ({}),
};

/** Tensors of a layer's experts, whose bias has an axis more; of a layer without them, those of one feed-forward layer. */
function feed(config: DecoderConfig, layer: number) {
  if (!hasExperts(config, layer)) return feedForwardMaps(config);
  const { router: _, ...experts } = config.experts!;
  const { numExperts: E } = experts;
  const name = "mlp.moe_statics.e_score_correction_bias";
  return [
    ...expertMaps({ ...config, experts }),
    reshaped("feedForward.router.choiceBias", name, { stored: [1, E], own: [E] }),
  ];
}

/** ERNIE 4.5's mixtures: ERNIE 4.5 with experts that the softmax and a bias choose, beside shared ones. */
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
    leastSum,
    without("use_bias"),
    without("moe_gate", "topk"),
    without("moe_use_aux_free", true),
  ],
  gguf: () => [
    gguf("ernie4_5-moe", {
      freeHeads: true,
      ropeLayout: "interleaved",
      keys: [
        ...[ggufExperts, ggufShares(true), choiceBias, ggufSharedWidth(), sharedCount],
        // With another step llama.cpp asks for experts in layers that it then reads as dense ones.
        ...[always("interleave_moe_layer_step", 1), firstDenseLayers(0, "leading_dense_block_count")],
      ],
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed }),
  tied: true,
  ignored: "moe_capacity num_nextn_predict_layers auto_map",
  // Layers that predict tokens further on.
  ignoredTensors: /(^|\.)mtp_/,
};
