import type { Architecture } from "./architecture.js";
import { ggufDeepseek } from "./deepseek-v2.js";
import { gguf } from "./gguf/gguf-architecture.js";
import {
  ggufIndexer,
  ggufIndexerProjections,
  ggufLatentHeads,
  ggufLatentProjections,
} from "./gguf/gguf-latents.js";
import { trait, requireValue, type ConfigEntry } from "./config-entry.js";
import { deepseekEntries, deepseekV3 } from "./deepseek-v3.js";
import { feedForwardOrExperts, listedExperts } from "./expert-parts.js";
import { layerValues } from "./layer-lists.js";
import { indexerProjections, indexerSizes, latentProjections } from "./latent-parts.js";
import { llamaTensors } from "./llama-parts.js";

/** `layer_types`: all layers have one type. */
const sparseAttention: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    layerValues(fields, "layer_types", numLayers, ["deepseek_sparse_attention"]);
    return {};
  },
  write: () => ({}),
};

/** DeepSeek V3.2: DeepSeek V3 with sparse attention (DSA): an indexer chooses the keys of each query. */
export const deepseekV32: Architecture = {
  ...deepseekV3,
  modelTypes: ["deepseek_v32"],
  class: "DeepseekV32ForCausalLM",
  config: () => [
    ...deepseekEntries(trait({ ropeLayout: "interleaved" })),
    requireValue("rope_interleave", true),
    requireValue("mlp_bias", false),
    indexerSizes,
    listedExperts,
    sparseAttention,
  ],
  gguf: () => [
    gguf("deepseek32", {
      ...ggufDeepseek(),
      exclusiveField: "indexer",
      heads: [ggufLatentHeads({ split: true }), ggufIndexer],
      names: {
        attention: (config) => [
          ...ggufLatentProjections({ split: true })(config),
          ...ggufIndexerProjections(config),
        ],
      },
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      attention: (config) => [...latentProjections(config), ...indexerProjections(config)],
      feed: feedForwardOrExperts(),
    }),
};
