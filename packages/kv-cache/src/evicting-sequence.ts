import type { Tensor } from "@qkv/tensor";

/**
 * `budget`: tokens kept. `first`, `last`: of them those never evicted. `room`: tokens that one update may append in place.
 * `keptPer`: all heads of a layer keep the same tokens, or each head its own.
 */
export type EvictingSizes = {
  readonly budget: number;
  readonly first: number;
  readonly last: number;
  readonly room: number;
  readonly keptPer: "layer" | "head";
};

/** One sequence: the position in each slot of the buffers, and what a score remembers. Replaced, never changed. */
export type Sequence = {
  readonly length: number;
  /** Position of each slot, -1 where it is free: one list for all key-value heads, or one for each. As many in each. */
  readonly positions: readonly (readonly number[])[];
  /** Tokens that the sequence had when one of them was last evicted. */
  readonly evictedAt: number;
  /** Accumulated scores of each slot, [Hkv, capacity] row-major; empty where scores do not accumulate. */
  readonly scores: readonly number[];
  /** The last queries [1, H, Q, D], on the plain device; undefined where a score reads none. */
  readonly query: Tensor | undefined;
};
