/** Sizes of one head of a mixer. */
export type Head = {
  /** K, elements of a key. */
  readonly keyDim: number;
  /** V, elements of a value. */
  readonly valueDim: number;
  /** M, slots of `gatedSlotAttention` and `abc`. */
  readonly slots: number;
  /** N, taps of `shortConvolution`. */
  readonly taps: number;
  /** Householder steps per token of `deltaProduct`. */
  readonly steps: number;
};

/** Counts of one head: FLOPs of the last of `tokens` tokens, and elements of the state after them. */
export type Counts = {
  flops(head: Head, tokens: number): number;
  state(head: Head, tokens: number): number;
};

/** A state `[K, V]` with `flopsPerElement` FLOPs per element and token. */
const matrixState = (flopsPerElement: number): Counts => ({
  flops: ({ keyDim: K, valueDim: V }) => flopsPerElement * K * V,
  state: ({ keyDim: K, valueDim: V }) => K * V,
});
/** A test-time learner: a model `[K, K]` trained on each token, 8 FLOPs per element. `state`: elements of the model and of its training state. */
const testTimeLearner = (state: (K: number) => number): Counts => ({
  flops: ({ keyDim: K }) => 8 * K ** 2,
  state: ({ keyDim: K }) => state(K),
});
/** Two gated states, `[M, K]` of keys and `[M, V]` of values; `sums`: 1 for a normalizer of each slot. */
const slots = (sums: 0 | 1): Counts => ({
  flops: ({ keyDim: K, valueDim: V, slots: M }) => 5 * M * (K + V),
  state: ({ keyDim: K, valueDim: V, slots: M }) => M * (K + V + sums),
});
/** Linear attention with a feature map to `rows(K)` features, and a column for the normalizer. */
const featureProducts = (rows: (K: number) => number): Counts => ({
  flops: ({ keyDim: K, valueDim: V }) => 4 * rows(K) * V,
  state: ({ keyDim: K, valueDim: V }) => rows(K) * (V + 1),
});
const numLevels = (tokens: number) => Math.ceil(Math.log2(tokens + 1));

/** Counts of each mixer of `@qkv/attention`. */
export const mixerCounts = {
  linearAttention: matrixState(4),
  retention: matrixState(5),
  lightningAttention: matrixState(5),
  simpleGla: matrixState(5),
  gla: matrixState(5),
  rwkv6: matrixState(5),
  ssd: matrixState(5),
  deltaRule: matrixState(6),
  gatedDeltaRule: matrixState(7),
  kda: matrixState(7),
  gdn2: matrixState(7),
  selectiveScan: matrixState(7),
  dplr: matrixState(9),
  rwkv7: matrixState(9),
  deltaProduct: {
    flops: ({ keyDim: K, valueDim: V, steps }) => (6 * steps + 1) * K * V,
    state: ({ keyDim: K, valueDim: V }) => K * V,
  },
  preconditionedDeltaRule: {
    flops: ({ keyDim: K, valueDim: V }) => 7 * K * V,
    state: ({ keyDim: K, valueDim: V }) => K * (V + 1),
  },
  based: featureProducts((K) => 1 + K + K ** 2),
  rebased: featureProducts((K) => K ** 2),
  hgrn: { flops: ({ valueDim: V }) => 3 * V, state: ({ valueDim: V }) => V },
  shortConvolution: {
    flops: ({ keyDim: K, taps: N }) => (2 * N + 2) * K,
    state: ({ keyDim: K, taps: N }) => (N - 1) * K,
  },
  gatedSlotAttention: slots(0),
  abc: slots(1),
  tttLinear: testTimeLearner((K) => 2 * (K ** 2 + K)),
  titans: testTimeLearner((K) => 3 * K ** 2),
  mesaNet: {
    flops: ({ keyDim: K, valueDim: V }) => K ** 3 / 3 + 5 * K * (K + V),
    state: ({ keyDim: K, valueDim: V }) => K * (K + V),
  },
  /** A state for each power-of-2 block of a Fenwick tree, all of which are read. */
  logLinearAttention: {
    flops: ({ keyDim: K, valueDim: V }, tokens) => (3 + 2 * numLevels(tokens)) * K * V,
    state: ({ keyDim: K, valueDim: V }, tokens) => numLevels(tokens) * K * V,
  },
  /** Keys and corrected values of all tokens are stored; two attentions per token. */
  deltaFormer: {
    flops: ({ keyDim: K, valueDim: V }, tokens) => 2 * tokens * (2 * K + 2 * V + 5),
    state: ({ keyDim: K, valueDim: V }, tokens) => tokens * (K + V),
  },
} satisfies Record<string, Counts>;

/** Mixers of `@qkv/attention`, by the names of their functions. */
export type MixerName = keyof typeof mixerCounts;
