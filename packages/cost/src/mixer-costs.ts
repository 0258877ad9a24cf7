import { checks } from "@qkv/core";
import { checkFormat, checkWhole } from "./check-call.js";
import { formats, type Format } from "./formats.js";
import { mixerCounts, type Counts, type MixerName } from "./mixer-counts.js";

/** The names of mixers that have a cost. */
export const mixerNames: readonly MixerName[] = /* @__PURE__ */ Object.keys(mixerCounts) as MixerName[];

/** Call of {@link mixerCost}: sizes of the mixer, and lengths in tokens. */
export type MixerCostCall = {
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
  /** Numbers of the state of one sequence, in all heads; a count of its tokens, which some mixers keep, apart. */
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
export function mixerCost(name: MixerName, call: MixerCostCall): MixerCost {
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
  const { flops, state }: Counts = mixerCounts[name];
  // The cost of a token grows at most with the logarithm or the number of the tokens before it.
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
