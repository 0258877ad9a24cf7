import type { Tensor } from "@qkv/tensor";

/** An inclusive range of positions. */
export type Range = { readonly first: number; readonly last: number };

/** Part of a tile of queries × keys that a mask lets through. `some` is always allowed as an answer. */
export type TileClass = "none" | "some" | "all";

/** The lengths that a mask is applied to. Queries are the last `queryLength` of `keyLength` positions. */
export type Extent = {
  readonly queryLength: number;
  readonly keyLength: number;
  /** Batches and heads of the query, where they are known: a mask with a list per batch refuses another number. */
  readonly batches?: number;
  readonly heads?: number;
};

/**
 * Keys that a query may see: a value that combines with others. Positions are absolute places in the sequence,
 * whatever part of it is stored.
 */
export type Mask = {
  /** The call that made it: `slidingWindow(256)`. */
  readonly name: string;
  /** True if it may differ between batches. */
  readonly perBatch: boolean;
  /** True if it may differ between heads. */
  readonly perHead: boolean;
  /** Fixes the extent, which some masks need: a top-left alignment, padding lengths. */
  bind(extent: Extent): BoundMask;
  /** Present if the mask depends on numbers that only a device has: `bind` throws then, and attention reads these. */
  readonly pending?: PendingMask;
};

/** A mask in two parts: a rule that the host knows, and truth values on a device. */
export type PendingMask = {
  /** Absent: the truth values alone decide. */
  readonly rule?: Mask;
  /**
   * All of them have to hold where a query sees a key: bool, broadcastable to `[B, H, T, S]` of a call, with a column for each
   * position.
   */
  readonly visible: readonly ((extent: Required<Extent>) => Tensor)[];
};

/** A mask of a known extent. Queries and keys are absolute positions. */
export type BoundMask = {
  sees(query: number, key: number, batch: number, head: number): boolean;
  /** Class of the tile of a range of queries and a range of keys. */
  tile(query: Range, key: Range, batch: number, head: number): TileClass;
};
