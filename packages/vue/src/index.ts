export { useAttention } from "./use-attention.js";
export { useEmbedding } from "./use-embedding.js";
export { useGenerate, type UsedGeneration } from "./use-generate.js";
export { useModel } from "./use-model.js";
export { useStore } from "./use-store.js";
