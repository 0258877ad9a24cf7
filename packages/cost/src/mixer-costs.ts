import { checks } from "@qkv/core";
import { checkFormat, checkWhole } from "./check-call.js";
import { formats, type Format } from "./formats.js";

/** Sizes of one head of a mixer. */
type Head = {
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
type Counts = {
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

const counts = {
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
export type MixerName = keyof typeof counts;

/** The names of mixers that have a cost. */
export const mixerNames: readonly MixerName[] = /* @__PURE__ */ Object.keys(counts) as MixerName[];

/** Call of {@link mixerCost}: sizes of the mixer, and lengths in tokens. */
export type MixerCall = {
  /** Heads with a state of their own. */
  numHeads: number;
  keyDim: number;
  valueDim: number;
  /** Tokens that are read. Default 1: a step of decoding. */
  queryLength?: number;
  /** Tokens in all, those included; only `logLinearAttention` and `deltaFormer` depend on it. Default: `queryLength`. */
  contextLength?: number;
  batchSize?: number;
  /** Default float32, which caches of states have. */
  format?: Format;
  /** Slots of `gatedSlotAttention` and `abc`. Default 64. */
  slots?: number;
  /** Taps of `shortConvolution`. Default 3. */
  taps?: number;
  /** Steps of each token of `deltaProduct`. Default 2. */
  steps?: number;
};

/** Cost of a mixer, its projections apart. */
export type MixerCost = {
  /** Operations of the tokens that are read, each by the step of the mixer. A chunked form does more, in matrix products. */
  readonly flops: number;
  /** Numbers of the state of one sequence, in all heads. */
  readonly stateNumbers: number;
  /** Bytes of the states of the batch. */
  readonly stateBytes: number;
};

/**
 * Returns the operations of a mixer and the size of its state: the same for each token, however many came before, but for
 * `logLinearAttention` and `deltaFormer`.
 *
 * @param name - Name of the mixer's function in `@qkv/attention`.
 * @throws {ArgumentError} If there is no such mixer, or a size is no whole number.
 * @see "Gated Delta Networks" (2024), arXiv:2412.06464
 *
 * @example
 * ```ts
 * import { mixerCost } from "@qkv/cost";
 *
 * const sizes = { numHeads: 32, keyDim: 128, valueDim: 128 };
 * mixerCost("gatedDeltaRule", sizes).stateBytes / 2 ** 20; // => 2
 * mixerCost("gatedDeltaRule", sizes).flops; // => 3670016
 * ```
 */
export function mixerCost(name: MixerName, call: MixerCall): MixerCost {
  const check = checks("mixerCost");
  check.oneOf({ name }, mixerNames, "take the name of its function: `gatedDeltaRule`.");
  const given = check.options(call ?? null, callNames, "call");
  const { numHeads, keyDim, valueDim, queryLength = 1, contextLength = queryLength, batchSize = 1 } = given;
  const { format = formats.float32, slots = 64, taps = 3, steps = 2 } = given;
  checkWhole(check, { numHeads }, 1, "heads");
  checkWhole(check, { keyDim, valueDim }, 1, "numbers");
  checkWhole(check, { queryLength }, 0, "tokens");
  checkWhole(check, { contextLength }, queryLength, "tokens");
  checkWhole(check, { batchSize }, 1, "sequences");
  checkWhole(check, { slots, taps, steps }, 1, "of them");
  checkFormat(check, { format });
  const head = { keyDim, valueDim, slots, taps, steps };
  const { flops, state }: Counts = counts[name];
  // What a token costs grows at most with the logarithm or the number of the tokens before it.
  const ofTokens = Object.hasOwn(growing, name)
    ? Array.from({ length: queryLength }, (_, t) => flops(head, contextLength - t)).reduce((a, b) => a + b, 0)
    : queryLength * flops(head, contextLength);
  const stateNumbers = numHeads * state(head, contextLength);
  return {
    flops: batchSize * numHeads * ofTokens,
    stateNumbers,
    stateBytes: batchSize * stateNumbers * format.bytesPerNumber,
  };
}

/** Mixers whose tokens cost more the more came before. */
const growing = { logLinearAttention: true, deltaFormer: true };

const callNames = [
  "numHeads",
  "keyDim",
  "valueDim",
  "queryLength",
  "contextLength",
  "batchSize",
  "format",
  "slots",
  "taps",
  "steps",
] as const;
