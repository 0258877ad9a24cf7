import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { derived } from "./gguf/gguf-keys.js";
import { ggufLatentHeads, ggufLatentProjections } from "./gguf/gguf-latents.js";
import { activation, bias, rope, requireValue, type ConfigEntry } from "./config-entry.js";
import { latentProjections, latentSizes } from "./latent-parts.js";
import { llamaTensors, rmsEps } from "./llama-parts.js";

/** Removes rounding noise from a square of a square root. */
const exact = (x: number) => Number(x.toPrecision(12));

/** Multipliers of embeddings, of residual additions (by depth) and of logits (by width). Null means none. */
const scales: ConfigEntry = {
  read(fields, { numLayers = 1, embedDim = 1 }) {
    const embeddingScale = fields.positive("scale_emb", 1);
    const residualScale = fields.positive("scale_depth", Math.sqrt(numLayers)) / Math.sqrt(numLayers);
    const logitScale = fields.positive("dim_model_base", embedDim) / embedDim;
    return {
      ...(embeddingScale !== 1 && { embeddingScale }),
      ...(residualScale !== 1 && { residualScale }),
      ...(logitScale !== 1 && { logitScale }),
    };
  },
  write: ({ embeddingScale = 1, residualScale = 1, logitScale = 1, numLayers, embedDim }) => ({
    scale_emb: embeddingScale,
    scale_depth: exact(residualScale * Math.sqrt(numLayers)),
    dim_model_base: exact(logitScale * embedDim),
  }),
};

/** The multipliers of the published model, which are constants in llama.cpp's code. */
const publishedScales = /* @__PURE__ */ derived(({ numLayers = 1, embedDim = 1 }) => ({
  embeddingScale: 12,
  residualScale: 1.4 / Math.sqrt(numLayers),
  logitScale: 256 / embedDim,
}));

/** MiniCPM 3: multi-head latent attention (MLA), and multipliers of embeddings, residual additions and logits. */
export const minicpm3: Architecture = {
  modelTypes: ["minicpm3"],
  class: "MiniCPM3ForCausalLM",
  config: () => [
    ...latentSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    requireValue("mlp_bias", false),
    scales,
  ],
  gguf: () => [
    gguf("minicpm3", {
      heads: [ggufLatentHeads()],
      keys: [publishedScales],
      names: { attention: ggufLatentProjections() },
      scalings: ["longrope"],
      refuses: ({ latent }) =>
        latent?.queryRank === undefined
          ? { argument: "config.latent.queryRank", received: undefined, expected: "latents of queries" }
          : undefined,
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { attention: latentProjections }),
  tied: true,
  defaults: { scale_emb: 12, scale_depth: 1.4, dim_model_base: 256 },
  ignored: "head_dim auto_map",
};
