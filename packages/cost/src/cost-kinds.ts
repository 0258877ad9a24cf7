import { checks } from "@qkv/core";
import { checkWhole } from "./check-call.js";
import type { Reach } from "./model-shape.js";
import { countPairs } from "./pairs-seen.js";

/** One attention call, seen from a mechanism. Lengths in tokens. */
export type KindCall = {
  queryLength: number;
  keyLength: number;
  numHeads: number;
  headDim: number;
  /** For `window`. Default: the keys there are. */
  windowSize?: number;
  /** For `blocks`: which part of all pairs lies in blocks that are not hidden. Default 1. */
  visibleShare?: number;
};

/** The functions, each of which refuses what it cannot count with by its name. */
function checked<Kinds extends Record<string, (call: KindCall) => number>>(kinds: Kinds): Kinds {
  const entries = Object.entries(kinds).map(([name, count]) => {
    const check = checks(`costKinds.${name}`);
    const names = ["queryLength", "keyLength", "numHeads", "headDim", "windowSize", "visibleShare"] as const;
    const checkedCount = (call: KindCall): number => {
      const given = check.options(call ?? null, names, "call");
      const { queryLength, keyLength, numHeads, headDim, windowSize, visibleShare } = given;
      checkWhole(check, { queryLength, keyLength }, 0, "tokens");
      checkWhole(check, { numHeads }, 1, "heads");
      checkWhole(check, { headDim }, 1, "numbers");
      if (windowSize !== undefined) checkWhole(check, { windowSize }, 1, "tokens");
      if (visibleShare !== undefined) check.finite({ visibleShare }, { min: 0, max: 1 });
      return count(given);
    };
    return [name, count.length === 0 ? count : checkedCount] as const; // where a call changes nothing, none is asked for
  });
  return Object.fromEntries(entries) as Kinds;
}

const attend = (reach: Reach, { queryLength, keyLength, numHeads, headDim }: KindCall) =>
  numHeads * countPairs(reach, queryLength, keyLength) * (4 * headDim + 5);

/**
 * Growth of a mechanism's operations, by the `costKind` that the catalogue of `@qkv/attention` gives it: those of
 * the attention that it is, or what it adds to the attention that it is part of.
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
export const costKinds = /* @__PURE__ */ checked({
  full: (call: KindCall) => attend({ kind: "all" }, call),
  causal: (call: KindCall) => attend({ kind: "causal" }, call),
  window: (call: KindCall) =>
    attend({ kind: "window", size: Math.min(call.windowSize ?? Infinity, call.keyLength) }, call),
  blocks: (call: KindCall) => attend({ kind: "all" }, call) * (call.visibleShare ?? 1),
  /** One operation for each pair. */
  pair: ({ queryLength, keyLength, numHeads }: KindCall) => numHeads * queryLength * keyLength,
  /** A decay, a write and a read of a state `[headDim, headDim]` for each token. */
  state: ({ queryLength, numHeads, headDim }: KindCall) => 5 * numHeads * queryLength * headDim ** 2,
  /** Three for each number of a new query and of a new key: a rotation, about as much as a norm. */
  token: ({ queryLength, numHeads, headDim }: KindCall) => 2 * 3 * numHeads * queryLength * headDim,
  unchanged: () => 0,
});
