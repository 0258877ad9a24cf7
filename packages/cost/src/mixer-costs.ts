import { checks, knownNames } from "@qkv/core";
import { checkFormat, checkWhole } from "./check-call.js";
import { formats, type Format } from "./formats.js";
import { mixerCounts, type Counts, type MixerName } from "./mixer-counts.js";

/** Names of all mixers. */
export const mixerNames: readonly MixerName[] = /* @__PURE__ */ Object.keys(mixerCounts) as MixerName[];

/** Call of {@link mixerCost}: sizes of the mixer, and lengths in tokens. */
export type MixerCostCall = {
  /** Number of heads, each with a state. */
  numHeads: number;
  keyDim: number;
  valueDim: number;
  /** T, tokens of this call. Default 1: a step of decoding. */
  queryLength?: number;
  /** Tokens of the sequence after this call; only `logLinearAttention` and `deltaFormer` depend on it. Default: `queryLength`. */
  contextLength?: number;
  batchSize?: number;
  /** Format of the state. Default float32. */
  format?: Format;
  /** Slots of `gatedSlotAttention` and `abc`. Default 64. */
  slots?: number;
  /** Taps of `shortConvolution`. Default 3. */
  taps?: number;
  /** Householder steps per token of `deltaProduct`. Default 2. */
  steps?: number;
};

/** Cost of a mixer without its projections. */
export type MixerCost = {
  /** FLOPs in recurrent form, token by token. A chunked form has more, in matrix products. */
  readonly flops: number;
  /** Size of the state of one sequence over all heads, without the token counter of some mixers. Unit: elements. */
  readonly stateNumbers: number;
  /** Size of the states of the batch. Unit: bytes. */
  readonly stateBytes: number;
};

/**
 * Returns the FLOPs of a mixer and the size of its state. Both are the same for each token, except for `logLinearAttention` and
 * `deltaFormer`, where they grow with the number of earlier tokens.
 *
 * @param name - Name of the mixer's function in `@qkv/attention`.
 * @throws {ArgumentError} If there is no such mixer, or a size is not an integer.
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
  if (!mixerNames.includes(name))
    check.refuse({
      argument: "name",
      received: name,
      expected: `one of ${knownNames(name, mixerNames, "`mixerNames`")}`,
      fix: "take the name of its function: `gatedDeltaRule`.",
    });
  const options = check.options(call ?? null, callNames, "call");
  const { numHeads, keyDim, valueDim, queryLength = 1, contextLength = queryLength, batchSize = 1 } = options;
  const { format = formats.float32, slots = 64, taps = 3, steps = 2 } = options;
  checkWhole(check, { numHeads }, 1, "heads");
  checkWhole(check, { keyDim, valueDim }, 1, "elements");
  checkWhole(check, { queryLength }, 0, "tokens");
  checkWhole(check, { contextLength }, queryLength, "tokens");
  checkWhole(check, { batchSize }, 1, "sequences");
  checkWhole(check, { slots, taps, steps }, 1, "of them");
  checkFormat(check, { format });
  const head = { keyDim, valueDim, slots, taps, steps };
  const { flops, state }: Counts = mixerCounts[name];
  // Tokens have different costs only in mixers that depend on the context.
  const tokenFlops = Object.hasOwn(contextDependent, name)
    ? Array.from({ length: queryLength }, (_, t) => flops(head, contextLength - t)).reduce((a, b) => a + b, 0)
    : queryLength * flops(head, contextLength);
  const stateNumbers = numHeads * state(head, contextLength);
  return {
    flops: batchSize * numHeads * tokenFlops,
    stateNumbers,
    stateBytes: batchSize * stateNumbers * format.bytesPerNumber,
  };
}

/** Mixers whose FLOPs per token grow with the number of earlier tokens. */
const contextDependent = { logLinearAttention: true, deltaFormer: true };

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
