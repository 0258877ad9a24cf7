import type { Architecture } from "./architecture.js";
import { expertCounts, expertMaps, fusedExperts } from "./expert-parts.js";
import { ggufExperts, ggufSharedWidth, ggufShares } from "./gguf/gguf-experts.js";
import { ggufQwen35, ownDeltaMaps, qwen35Ignored, qwenHybridConfig, qwenHybridTensors } from "./qwen3-5.js";
import { gatedShared } from "./qwen3-next.js";
import { under } from "./stored-tensor.js";

/** Qwen 3.5's mixtures: Qwen 3.5 with experts in all layers, each kind of whose maps is one tensor, and a gated shared one. */
export const qwen35Moe: Architecture = {
  modelTypes: ["qwen3_5_moe_text"],
  class: "Qwen3_5MoeForCausalLM",
  config: () => [...qwenHybridConfig("moe_intermediate_size"), expertCounts("num_experts"), gatedShared],
  gguf: () => [ggufQwen35("qwen35moe", [ggufExperts, ggufShares(true), ggufSharedWidth({ gated: true })])],
  tensors: (config, tied) =>
    qwenHybridTensors(config, tied, ownDeltaMaps, (one) =>
      expertMaps(one, {
        shared: "shared_expert",
        all: () => [under("feedForward.experts", "mlp.experts", fusedExperts(one))],
      }),
    ),
  ignored: qwen35Ignored,
  ignoredTensors: /^mtp\./,
};
