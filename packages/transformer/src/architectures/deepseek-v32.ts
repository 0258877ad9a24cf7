import type { Architecture } from "./architecture.js";
import { ggufDeepseek } from "./deepseek-v2.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufIndexer, ggufIndexerMaps, ggufLatentHeads, ggufLatentMaps } from "./gguf/gguf-latents.js";
import { trait, without, type ConfigEntry } from "./config-entry.js";
import { deepseekEntries, deepseekV3 } from "./deepseek-v3.js";
import { expertsOrMaps, listedExperts } from "./expert-parts.js";
import { indexerMaps, indexerSizes, latentMaps } from "./latent-parts.js";
import { llamaTensors } from "./llama-parts.js";

/** All layers are of one type. */
const sparseAttention: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    const types = fields.list("layer_types");
    if (types && (types.length !== numLayers || types.some((type) => type !== "deepseek_sparse_attention")))
      return fields.refuse("layer_types", `a list of ${numLayers}, each deepseek_sparse_attention`);
    return {};
  },
  write: () => ({}),
};

/** DeepSeek V3.2: DeepSeek V3 with an indexer, which chooses the keys that a query reads. */
export const deepseekV32: Architecture = {
  ...deepseekV3,
  modelTypes: ["deepseek_v32"],
  class: "DeepseekV32ForCausalLM",
  config: () => [
    ...deepseekEntries(trait({ ropeLayout: "interleaved" })),
    without("rope_interleave", true),
    without("mlp_bias"),
    indexerSizes,
    listedExperts,
    sparseAttention,
  ],
  gguf: () => [
    gguf("deepseek32", {
      ...ggufDeepseek(),
      alone: "indexer",
      heads: [ggufLatentHeads({ split: true }), ggufIndexer],
      names: {
        attention: (config) => [...ggufLatentMaps({ split: true })(config), ...ggufIndexerMaps(config)],
      },
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      attention: (one) => [...latentMaps(one), ...indexerMaps(one)],
      feed: expertsOrMaps(),
    }),
};
