import type { Architecture } from "./architecture.js";
import { trait, without, type ConfigEntry } from "./config-entry.js";
import { deepseekEntries, deepseekV3 } from "./deepseek-v3.js";
import { expertsOrMaps } from "./expert-parts.js";
import { indexerMaps, indexerSizes, latentMaps } from "./latent-parts.js";
import { llamaTensors } from "./llama-parts.js";

/** Layers with experts as a file lists them, which goes before a count of the first ones without. */
const listedExperts: ConfigEntry = {
  read(fields, { experts, numLayers = 0 }) {
    const list = fields.list("mlp_layer_types");
    if (!list || !experts) return {};
    const known = list.length === numLayers && list.every((type) => type === "dense" || type === "sparse");
    if (!known) return fields.refuse("mlp_layer_types", `a list of ${numLayers}, each dense or sparse`);
    const { layers: _, ...others } = experts;
    const layers = list.map((type) => type === "sparse");
    return { experts: { ...others, ...(layers.includes(false) && { layers }) } };
  },
  write: ({ experts, numLayers }) => ({
    mlp_layer_types: Array.from({ length: numLayers }, (_, i) =>
      experts?.layers?.[i] === false ? "dense" : "sparse",
    ),
  }),
};

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
  gguf: () => [], // an architecture of its own there
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      attention: (one) => [...latentMaps(one), ...indexerMaps(one)],
      feed: expertsOrMaps(),
    }),
};
