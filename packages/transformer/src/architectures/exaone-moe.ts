import type { Architecture } from "./architecture.js";
import { activation, rope, slidingLayers, trait } from "./config-entry.js";
import { ropeInSlidingLayers } from "./exaone4.js";
import { deepSeekExperts, feedForwardOrExperts, listedExperts } from "./expert-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufGroups, ggufSharedWidth } from "./gguf/gguf-experts.js";
import { slidingBase, slidingPeriods } from "./gguf/gguf-keys.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** K-EXAONE: pre-norm, norms of queries and keys per head, no positions (NoPE) in full layers, DeepSeek V3's experts. */
export const exaoneMoe: Architecture = {
  modelTypes: ["exaone_moe"],
  class: "ExaoneMoeForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    slidingLayers((i, fields) =>
      (i + 1) % fields.countOr(4, "sliding_window_pattern") === 0 ? "full" : "sliding",
    ),
    ropeInSlidingLayers,
    ...deepSeekExperts(
      { normalized: true, scale: 2.5, groups: { count: 1, chosen: 1 }, dense: 1 },
      { experts: "num_experts", shared: "num_shared_experts" },
    ),
    listedExperts,
    trait({ qkNorm: true }),
  ],
  gguf: () => [
    gguf("exaone-moe", {
      freeHeads: true,
      traits: { qkNorm: true },
      keys: [
        ...[slidingPeriods(4, true), slidingBase, ropeInSlidingLayers],
        ...[...ggufGroups, ggufSharedWidth()],
      ],
      output: "separate",
      scalings: [],
      refuses: ({ layerTypes, experts }) =>
        layerTypes?.includes("sliding") && experts?.shared
          ? undefined
          : {
              argument: "config",
              received: "a model without both",
              expected: "sliding-window layers and a shared expert",
            },
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed: feedForwardOrExperts() }),
  ignored: "sliding_window_pattern num_nextn_predict_layers",
  // Multi-token prediction (MTP) layers, which inference does not use.
  ignoredTensors: /(^|\.)mtp\./,
};
