import type { Architecture } from "./architecture.js";
import { activation, bias, rope, without, type ConfigEntry } from "./config-entry.js";
import { latentMaps, latentSizes } from "./latent-parts.js";
import { llamaTensors, rmsEps } from "./llama-parts.js";

/** Numbers of a file, which are read through a root. */
const exact = (x: number) => Number(x.toPrecision(12));

/** Multipliers of embeddings, sums by the depth of the model, and logits by its width; what is null is none. */
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

/** MiniCPM 3: latent attention, and multipliers of embeddings, sums and logits. */
export const minicpm3: Architecture = {
  modelTypes: ["minicpm3"],
  class: "MiniCPM3ForCausalLM",
  config: () => [
    ...latentSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    without("mlp_bias"),
    scales,
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { attention: latentMaps }),
  tied: true,
  defaults: { scale_emb: 12, scale_depth: 1.4, dim_model_base: 256 },
  ignored: "head_dim auto_map",
};
