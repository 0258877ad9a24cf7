/** Training: batches of a text, a step, a run, and its checkpoints. */
export type { Batch, BatchAt } from "./training/batch.js";
export type { BatchLoss } from "./training/batch-loss.js";
export { readCheckpoint, writeCheckpoint, type Checkpoint } from "./training/checkpoint.js";
export { meanLoss, tokenLoss, type TokenModel } from "./training/losses.js";
export { distillationLoss, type DistillationLossOptions } from "./training/distillation-loss.js";
export {
  findLearningRate,
  type LearningRateCurve,
  type LearningRateOptions,
} from "./training/find-learning-rate.js";
export type { BatchGradients, GradientSource } from "./training/gradient-source.js";
export { maskedTokenBatches, type MaskedTokenOptions } from "./training/masked-token-batches.js";
export { nextTokenBatches, type BatchOptions } from "./training/next-token-batches.js";
export { pairBatches, type PairBatch, type PairOptions } from "./training/pair-batches.js";
export { preferenceLoss, type PreferenceLossOptions } from "./training/preference-loss.js";
export { sequenceLogProbs } from "./training/sequence-log-probs.js";
export { textBatches } from "./training/text-batches.js";
export { train, type TrainOptions, type TrainReport } from "./training/train.js";
export { trainStep, type Training } from "./training/train-step.js";
