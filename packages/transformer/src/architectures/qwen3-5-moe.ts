import type { Architecture } from "./architecture.js";
import { expertCounts, expertLayerTensors, fusedExperts } from "./expert-parts.js";
import { ggufExperts, ggufSharedWidth, ggufTopKNormalization } from "./gguf/gguf-experts.js";
import {
  ggufQwen35,
  ownDeltaProjections,
  qwen35Ignored,
  qwenHybridConfig,
  qwenHybridTensors,
} from "./qwen3-5.js";
import { gatedShared } from "./qwen3-next.js";
import { under } from "./stored-tensor.js";

/** Qwen 3.5 MoE: Qwen 3.5 with experts in all layers, stored as one tensor per projection, and a gated shared expert. */
export const qwen35Moe: Architecture = {
  modelTypes: ["qwen3_5_moe_text"],
  class: "Qwen3_5MoeForCausalLM",
  config: () => [...qwenHybridConfig("moe_intermediate_size"), expertCounts("num_experts"), gatedShared],
  gguf: () => [
    ggufQwen35("qwen35moe", [ggufExperts, ggufTopKNormalization(true), ggufSharedWidth({ gated: true })]),
  ],
  tensors: (config, tied) =>
    qwenHybridTensors(config, tied, ownDeltaProjections, (config) =>
      expertLayerTensors(config, {
        shared: "shared_expert",
        all: () => [under("feedForward.experts", "mlp.experts", fusedExperts(config))],
      }),
    ),
  ignored: qwen35Ignored,
  ignoredTensors: /^mtp\./,
};
