import type { Architecture } from "./architecture.js";
import { count, requireValue } from "./config-entry.js";
import {
  expertCounts,
  feedForwardOrExperts,
  firstDenseLayers,
  topKNormalization,
  expertsEntry,
  routedScaling,
} from "./expert-parts.js";
import { ggufExperts, ggufScores, ggufTopKNormalization } from "./gguf/gguf-experts.js";
import { lfm2Config, lfm2Gguf, lfm2Maps, lfm2Tensors } from "./lfm2.js";

/** A correction bias, and routing weights as in the file of Hugging Face, for which llama.cpp has no keys. */
const ggufChoice = /* @__PURE__ */ expertsEntry(
  (_, __, { router }) => ({ router: { ...router, shareEps: 1e-6, choiceBias: true } }),
  () => ({}),
);

/** Sigmoid scores, optionally with a correction bias. Routing weights are divided by their sum plus 1e-6. */
const sigmoidChoice = /* @__PURE__ */ expertsEntry(
  (fields, _, { router }) => ({
    router: {
      ...router,
      ...{ scores: "sigmoid", shareEps: 1e-6 },
      ...(fields.flag("use_expert_bias", true) && { choiceBias: true }),
    },
  }),
  ({ router }) => ({ use_expert_bias: router?.choiceBias ?? false }),
);

/** LFM2 with experts, except in the first layers. */
export const lfm2Moe: Architecture = {
  modelTypes: ["lfm2_moe"],
  class: "Lfm2MoeForCausalLM",
  tied: true,
  defaults: { num_key_value_heads: 8 },
  config: () => [
    ...lfm2Config(count("hiddenDim", "intermediate_size")),
    expertCounts("num_experts", "moe_intermediate_size"),
    topKNormalization(true),
    sigmoidChoice,
    routedScaling(1),
    firstDenseLayers(2, "num_dense_layers"),
    requireValue("tie_embedding", true),
  ],
  gguf: () => [
    lfm2Gguf("lfm2moe", [
      ggufExperts,
      ggufScores,
      ggufChoice,
      ggufTopKNormalization(true),
      firstDenseLayers(0, "leading_dense_block_count"),
    ]),
  ],
  tensors: (config, tied) =>
    lfm2Tensors(
      config,
      tied,
      feedForwardOrExperts({ path: "feed_forward", choiceBias: "expert_bias", maps: lfm2Maps }),
    ),
};
