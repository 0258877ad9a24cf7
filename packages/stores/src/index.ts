export {
  attentionStore,
  headWeights,
  type AttentionStore,
  type AttentionSubject,
  type AttentionView,
  type Weights,
} from "./attention-store.js";
export { embeddingStore, type EmbeddingStore } from "./embedding-store.js";
export { generationStore, type GenerationState, type GenerationStore } from "./generation-store.js";
export {
  loadingStore,
  type LoadProgress,
  type ModelState,
  type LoadingStore,
  type LoadingStoreOptions,
} from "./loading-store.js";
export type { ResultState, ResultStore } from "./result-store.js";
export {
  mainThread,
  type EmbedOptionsOf,
  type GenerateOptionsOf,
  type LaterSource,
  type LoadOptionsOf,
  type MainThread,
  type MainThreadLoadOptions,
  type MainThreadModel,
  type ModelOf,
  type PromptOf,
  type Runtime,
  type SourceOf,
  type TokenOf,
} from "./runtime.js";
export { sharedModel } from "./shared-model.js";
export type { Store } from "./store.js";
