import { stacked } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { expertCounts, feedForwardOrExperts, topKNormalization, expertsEntry } from "./expert-parts.js";
import { ggufDelta } from "./gguf/gguf-delta.js";
import { ggufExperts, ggufSharedWidth, ggufTopKNormalization } from "./gguf/gguf-experts.js";
import { qwenHybridConfig, qwenHybridTensors, type DeltaProjections } from "./qwen3-5.js";
import { rowsByGroup } from "./rows-by-group.js";
import { fused, linear } from "./stored-tensor.js";

/** Input projections in two tensors, fused per key head: its rows, then those of its value heads. */
const groupedProjections: DeltaProjections = ({ K, V, H, groups, C }) => [
  fused(
    ["query", "key", "value", "outputGate"],
    "in_proj_qkvz",
    rowsByGroup(groups, [K, K, (H / groups) * V, (H / groups) * V]),
    C,
  ),
  fused(["beta", "decay"], "in_proj_ba", rowsByGroup(groups, [H / groups, H / groups]), C, {
    ownBiases: true,
  }),
];

/** Experts in every `decoder_sparse_step`-th layer, except those in `mlp_only_layers`. */
const layersWithExperts = /* @__PURE__ */ expertsEntry(
  (fields, { numLayers = 0 }) => {
    const step = fields.countOr(1, "decoder_sparse_step");
    const dense = fields.list("mlp_only_layers") ?? [];
    const layers = Array.from({ length: numLayers }, (_, i) => !dense.includes(i) && (i + 1) % step === 0);
    return layers.every(Boolean) ? {} : { layers };
  },
  ({ layers = [] }) => ({
    decoder_sparse_step: 1,
    mlp_only_layers: layers.flatMap((has, i) => (has ? [] : [i])),
  }),
);

/** A gated shared expert. */
export const gatedShared = /* @__PURE__ */ expertsEntry(
  (fields) => ({ shared: { hiddenDim: fields.count("shared_expert_intermediate_size"), gated: true } }),
  ({ shared }) => ({ shared_expert_intermediate_size: shared?.hiddenDim }),
);

/** Qwen3-Next: Gated DeltaNet, gated attention, experts and a gated shared expert. */
export const qwen3Next: Architecture = {
  modelTypes: ["qwen3_next"],
  class: "Qwen3NextForCausalLM",
  config: () => [
    ...qwenHybridConfig(),
    expertCounts("num_experts", "moe_intermediate_size"),
    topKNormalization(true),
    layersWithExperts,
    gatedShared,
  ],
  gguf: () => [
    ggufDelta("qwen3next", {
      keys: [ggufExperts, ggufTopKNormalization(true), ggufSharedWidth({ gated: true })],
      delta({ groups, repeats, K, V, H, C }) {
        const channels = stacked([groups * K, groups * K, H * V]);
        const pairs = rowsByGroup(groups, [repeats, repeats]);
        return {
          ...{ channels, heads: stacked([H]), columns: stacked([H * V]) },
          maps: [
            fused(["query", "key", "value"], "attn_qkv", channels, C),
            linear("outputGate", "attn_gate", [H * V, C]),
            fused(["beta", "decay"], "ssm_ba", pairs, C, { ownBiases: true }),
          ],
        };
      },
    }),
  ],
  tensors: (config, tied) =>
    qwenHybridTensors(config, tied, groupedProjections, feedForwardOrExperts({ shared: "shared_expert" })),
  ignored: "mamba_ssm_dtype",
  ignoredTensors: /^mtp\./,
};
