import { checks } from "@qkv/core";
import { checkWhole } from "./check-call.js";
import type { Reach } from "./model-shape.js";
import { countPairs } from "./pairs-seen.js";

/** One attention call. Lengths in tokens. */
export type KindCall = {
  queryLength: number;
  keyLength: number;
  numHeads: number;
  headDim: number;
  /** Window of `window`. Default: all keys. */
  windowSize?: number;
  /** For `blocks`: the fraction of all pairs in visible blocks, 0 to 1. Default 1. */
  visibleShare?: number;
};

/** Adds argument checks to each function; errors name it. */
function withChecks<Kinds extends Record<string, (call: KindCall) => number>>(kinds: Kinds): Kinds {
  const entries = Object.entries(kinds).map(([name, count]) => {
    const check = checks(`costKinds.${name}`);
    const names = ["queryLength", "keyLength", "numHeads", "headDim", "windowSize", "visibleShare"] as const;
    const checkedCount = (call: KindCall): number => {
      const options = check.options(call ?? null, names, "call");
      const { queryLength, keyLength, numHeads, headDim, windowSize, visibleShare } = options;
      checkWhole(check, { queryLength, keyLength }, 0, "tokens");
      checkWhole(check, { numHeads }, 1, "heads");
      checkWhole(check, { headDim }, 1, "elements");
      if (windowSize !== undefined) checkWhole(check, { windowSize }, 1, "tokens");
      if (visibleShare !== undefined) check.finite({ visibleShare }, { min: 0, max: 1 });
      return count(options);
    };
    return [name, count.length === 0 ? count : checkedCount] as const; // `unchanged` takes no call
  });
  return Object.fromEntries(entries) as Kinds;
}

const attentionFlops = (reach: Reach, { queryLength, keyLength, numHeads, headDim }: KindCall) =>
  numHeads * countPairs(reach, queryLength, keyLength) * (4 * headDim + 5);

/**
 * FLOPs of a mechanism, by its `costKind` in the catalogue of `@qkv/attention`: all of its attention, or for biases, positions
 * and the like those that it adds to attention.
 *
 * @example
 * ```ts
 * import { costKinds } from "@qkv/cost";
 *
 * const call = { queryLength: 100, keyLength: 100, numHeads: 1, headDim: 64 };
 * costKinds.full(call) / costKinds.window({ ...call, windowSize: 1 }); // => 100
 * costKinds.pair(call); // => 10000
 * ```
 */
export const costKinds = /* @__PURE__ */ withChecks({
  full: (call: KindCall) => attentionFlops({ kind: "all" }, call),
  causal: (call: KindCall) => attentionFlops({ kind: "causal" }, call),
  window: (call: KindCall) =>
    attentionFlops({ kind: "window", size: Math.min(call.windowSize ?? Infinity, call.keyLength) }, call),
  blocks: (call: KindCall) => attentionFlops({ kind: "all" }, call) * (call.visibleShare ?? 1),
  /** One operation for each pair. */
  pair: ({ queryLength, keyLength, numHeads }: KindCall) => numHeads * queryLength * keyLength,
  /** A decay, an update and a read of a state `[headDim, headDim]` for each token: 5 FLOPs per element. */
  state: ({ queryLength, numHeads, headDim }: KindCall) => 5 * numHeads * queryLength * headDim ** 2,
  /** 3 FLOPs for each element of a new query and a new key: a rotary embedding; a norm takes about as many. */
  token: ({ queryLength, numHeads, headDim }: KindCall) => 2 * 3 * numHeads * queryLength * headDim,
  unchanged: () => 0,
});
