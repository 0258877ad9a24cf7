import type { Tensor } from "@qkv/tensor";

/**
 * Sizes in tokens. `budget`: tokens stored. `first`, `last`: first and last tokens, which are never evicted. `room`: tokens
 * that one update may append in place. `keptPer`: whether all heads of a layer store the same tokens, or each head its own.
 */
export type EvictingSizes = {
  readonly budget: number;
  readonly first: number;
  readonly last: number;
  readonly room: number;
  readonly keptPer: "layer" | "head";
};

/** One sequence of the batch: the position in each slot of the buffers, and the memory of the eviction score. Immutable. */
export type Sequence = {
  readonly length: number;
  /** Position in each slot, -1 for a free one: one list for all key-value heads, or one per head with equally many tokens. */
  readonly positions: readonly (readonly number[])[];
  /** Length of the sequence at the last eviction. */
  readonly evictedAt: number;
  /** Accumulated scores of each slot, `[Hkv, capacity]` row-major; empty if the score does not accumulate. */
  readonly scores: readonly number[];
  /** The last Q queries, `[1, H, Q, D]`, on the plain device; undefined if the score reads no queries. */
  readonly query: Tensor | undefined;
};
