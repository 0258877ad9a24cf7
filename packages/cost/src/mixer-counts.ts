/** Sizes of one head of a mixer. */
export type Head = {
  /** K, numbers of a key. */
  readonly keyDim: number;
  /** V, numbers of a value. */
  readonly valueDim: number;
  /** M, slots of `gatedSlotAttention` and `abc`. */
  readonly slots: number;
  /** N, taps of `shortConvolution`. */
  readonly taps: number;
  /** Steps of each token of `deltaProduct`. */
  readonly steps: number;
};

/** Counts of one head: operations of a token, of which `tokens` are seen with it, and numbers of the state after them. */
export type Counts = {
  flops(head: Head, tokens: number): number;
  state(head: Head, tokens: number): number;
};

/** A step that does `times` operations for each number of a state `[K, V]`. */
const matrix = (times: number): Counts => ({
  flops: ({ keyDim: K, valueDim: V }) => times * K * V,
  state: ({ keyDim: K, valueDim: V }) => K * V,
});
/** A model that is trained on the way, from keys to values of one width: 8 operations for each of its numbers. */
const learner = (state: (K: number) => number): Counts => ({
  flops: ({ keyDim: K }) => 8 * K ** 2,
  state: ({ keyDim: K }) => state(K),
});
/** Two gated states, of keys and of values, over M slots. */
const slots = (sums: 0 | 1): Counts => ({
  flops: ({ keyDim: K, valueDim: V, slots: M }) => 5 * M * (K + V),
  state: ({ keyDim: K, valueDim: V, slots: M }) => M * (K + V + sums),
});
/** Products of two features, and a column that counts them. */
const products = (rows: (K: number) => number): Counts => ({
  flops: ({ keyDim: K, valueDim: V }) => 4 * rows(K) * V,
  state: ({ keyDim: K, valueDim: V }) => rows(K) * (V + 1),
});
const levels = (tokens: number) => Math.ceil(Math.log2(tokens + 1));

/** Counts of each mixer of `@qkv/attention`. */
export const mixerCounts = {
  linearAttention: matrix(4),
  retention: matrix(5),
  lightningAttention: matrix(5),
  simpleGla: matrix(5),
  gla: matrix(5),
  rwkv6: matrix(5),
  ssd: matrix(5),
  deltaRule: matrix(6),
  gatedDeltaRule: matrix(7),
  kda: matrix(7),
  gdn2: matrix(7),
  selectiveScan: matrix(7),
  dplr: matrix(9),
  rwkv7: matrix(9),
  deltaProduct: {
    flops: ({ keyDim: K, valueDim: V, steps }) => (6 * steps + 1) * K * V,
    state: ({ keyDim: K, valueDim: V }) => K * V,
  },
  preconditionedDeltaRule: {
    flops: ({ keyDim: K, valueDim: V }) => 7 * K * V,
    state: ({ keyDim: K, valueDim: V }) => K * (V + 1),
  },
  based: products((K) => 1 + K + K ** 2),
  rebased: products((K) => K ** 2),
  hgrn: { flops: ({ valueDim: V }) => 3 * V, state: ({ valueDim: V }) => V },
  shortConvolution: {
    flops: ({ keyDim: K, taps: N }) => (2 * N + 2) * K,
    state: ({ keyDim: K, taps: N }) => (N - 1) * K,
  },
  gatedSlotAttention: slots(0),
  abc: slots(1),
  tttLinear: learner((K) => 2 * (K ** 2 + K)),
  titans: learner((K) => 3 * K ** 2),
  mesaNet: {
    flops: ({ keyDim: K, valueDim: V }) => K ** 3 / 3 + 5 * K * (K + V),
    state: ({ keyDim: K, valueDim: V }) => K * (K + V),
  },
  /** A state for each block of a power of 2, and the reading of all of them. */
  logLinearAttention: {
    flops: ({ keyDim: K, valueDim: V }, tokens) => (3 + 2 * levels(tokens)) * K * V,
    state: ({ keyDim: K, valueDim: V }, tokens) => levels(tokens) * K * V,
  },
  /** Keys and rewritten values of all tokens: twice the attention. */
  deltaFormer: {
    flops: ({ keyDim: K, valueDim: V }, tokens) => 2 * tokens * (2 * K + 2 * V + 5),
    state: ({ keyDim: K, valueDim: V }, tokens) => tokens * (K + V),
  },
} satisfies Record<string, Counts>;

/** Mixers of `@qkv/attention`, by the names of their functions. */
export type MixerName = keyof typeof mixerCounts;
