export { properties } from "./properties.js";
export { useAttention } from "./use-attention.js";
export { useEmbedding, type UseEmbeddingOptions } from "./use-embedding.js";
export { useGenerate, type UsedGeneration } from "./use-generate.js";
export { useModel, type UsedModel, type UsedSource, type UseModelOptions } from "./use-model.js";
export { useStore } from "./use-store.js";
