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
/**
 * How the operations of a mechanism grow, by the `costKind` that the catalogue of `@qkv/attention` gives it: those of
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
export declare const costKinds: {
  full: (call: KindCall) => number;
  causal: (call: KindCall) => number;
  window: (call: KindCall) => number;
  blocks: (call: KindCall) => number;
  /** One operation for each pair. */
  pair: ({ queryLength, keyLength, numHeads }: KindCall) => number;
  /** Three for each number of a new query and of a new key: a rotation, about as much as a norm. */
  token: ({ queryLength, numHeads, headDim }: KindCall) => number;
  unchanged: () => number;
};
