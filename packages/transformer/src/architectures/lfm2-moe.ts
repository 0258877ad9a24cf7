import type { Architecture } from "./architecture.js";
import { count, without } from "./config-entry.js";
import {
  expertCounts,
  expertsOrMaps,
  firstDenseLayers,
  normalizedShares,
  ofExperts,
  sharesScale,
} from "./expert-parts.js";
import { ggufExperts, ggufScores, ggufShares } from "./gguf/gguf-experts.js";
import { lfm2Config, lfm2Gguf, lfm2Maps, lfm2Tensors } from "./lfm2.js";

/** A bias of the choice, and shares as above, which llama.cpp has without a key. */
const ggufChoice = /* @__PURE__ */ ofExperts(
  (_, __, { router }) => ({ router: { ...router, shareEps: 1e-6, choiceBias: true } }),
  () => ({}),
);

/** Sigmoids choose, with a bias where a file says so; shares are divided by a little more than their sum. */
const sigmoidChoice = /* @__PURE__ */ ofExperts(
  (fields, _, { router }) => ({
    router: {
      ...router,
      ...{ scores: "sigmoid", shareEps: 1e-6 },
      ...(fields.flag("use_expert_bias", true) && { choiceBias: true }),
    },
  }),
  ({ router }) => ({ use_expert_bias: router?.choiceBias ?? false }),
);

/** LFM2 with experts after its first layers. */
export const lfm2Moe: Architecture = {
  modelTypes: ["lfm2_moe"],
  class: "Lfm2MoeForCausalLM",
  tied: true,
  defaults: { num_key_value_heads: 8 },
  config: () => [
    ...lfm2Config(count("hiddenDim", "intermediate_size")),
    expertCounts("num_experts", "moe_intermediate_size"),
    normalizedShares(true),
    sigmoidChoice,
    sharesScale(1),
    firstDenseLayers(2, "num_dense_layers"),
    without("tie_embedding", true),
  ],
  gguf: () => [
    lfm2Gguf("lfm2moe", [
      ggufExperts,
      ggufScores,
      ggufChoice,
      ggufShares(true),
      firstDenseLayers(0, "leading_dense_block_count"),
    ]),
  ],
  tensors: (config, tied) =>
    lfm2Tensors(
      config,
      tied,
      expertsOrMaps({ path: "feed_forward", choiceBias: "expert_bias", maps: lfm2Maps }),
    ),
};
