// The recipes of the models of `@qkv/model-tiny/algorithms`: a configuration, a task, and how the model is trained on it.
import { bracketBatches, palindromeBatches, sortBatches } from "../../../transformer/dist/tasks.js";

const shared = {
  norm: "layer",
  normEps: 1e-5,
  positions: "learned",
  activation: "relu",
  gated: false,
  bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
  numHeads: 2,
  numKvHeads: 2,
  stopIds: [],
};

/** `numAnswers`: rows of the output matrix, as answers are not tokens. */
export const recipes = {
  brackets: {
    config: { ...shared, vocabSize: 4, contextLength: 26, embedDim: 32, hiddenDim: 32, numLayers: 2 },
    numAnswers: 2,
    batches: bracketBatches,
    seed: 1,
    steps: 2500,
    learningRate: 0.002,
  },
  palindromes: {
    config: {
      ...shared,
      ...{ vocabSize: 12, contextLength: 14, embedDim: 32, hiddenDim: 32, numLayers: 2 },
      feedForwardLayers: [false, false],
      bidirectional: true,
    },
    numAnswers: 2,
    batches: palindromeBatches,
    seed: 1,
    steps: 2500,
    learningRate: 0.002,
  },
  sorting: {
    config: {
      ...shared,
      ...{ vocabSize: 33, contextLength: 16, embedDim: 48, hiddenDim: 48, numLayers: 1 },
      feedForwardLayers: [false],
    },
    numAnswers: 32,
    batches: sortBatches,
    seed: 1,
    steps: 4000,
    learningRate: 0.002,
  },
};
