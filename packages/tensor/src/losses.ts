export {
  binaryCrossEntropyWithLogits,
  type BinaryCrossEntropyOptions,
} from "./losses/binary-cross-entropy-with-logits.js";
export { cosineEmbeddingLoss } from "./losses/cosine-embedding-loss.js";
export { cosineSimilarity } from "./losses/cosine-similarity.js";
export { huberLoss } from "./losses/huber-loss.js";
export { infoNce, type InfoNceOptions } from "./losses/info-nce.js";
export { klDivergence, type KlDivergenceOptions } from "./losses/kl-divergence.js";
export { l1Loss } from "./losses/l1-loss.js";
export { mseLoss } from "./losses/mse-loss.js";
export type { LossOptions } from "./losses/reduce-losses.js";
export { tripletMarginLoss } from "./losses/triplet-margin-loss.js";
