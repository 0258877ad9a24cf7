import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufExperts, ggufSharedWidth, ggufTopKNormalization } from "./gguf/gguf-experts.js";
import { activation, bias, rope, requireValue } from "./config-entry.js";
import {
  expertCounts,
  feedForwardOrExperts,
  fullLayers,
  topKNormalization,
  expertsEntry,
  sparseLayers,
} from "./expert-parts.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

const shared = /* @__PURE__ */ expertsEntry(
  (fields) => ({ shared: { hiddenDim: fields.count("shared_expert_intermediate_size"), gated: true } }),
  ({ shared }) => ({ shared_expert_intermediate_size: shared?.hiddenDim }),
);

/** Qwen 2 MoE: experts and a gated shared expert. */
export const qwen2Moe: Architecture = {
  modelTypes: ["qwen2_moe"],
  class: "Qwen2MoeForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    rope(),
    bias("qkv_bias", ["queryKeyValue"], true),
    requireValue("use_sliding_window", false),
    fullLayers,
    expertCounts("num_experts", "moe_intermediate_size"),
    topKNormalization(false),
    shared,
    sparseLayers,
  ],
  gguf: () => [
    gguf("qwen2moe", {
      keys: [ggufExperts, ggufTopKNormalization(false), ggufSharedWidth({ gated: true })],
      biases: { queryKeyValue: "either" },
      output: "separate",
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, { feed: feedForwardOrExperts({ shared: "shared_expert" }) }),
  ignored: "sliding_window max_window_layers",
};
