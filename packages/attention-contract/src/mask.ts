import type { Tensor } from "@qkv/tensor";

/** An inclusive range of positions. */
export type Range = { readonly first: number; readonly last: number };

/** Class of a tile of queries × keys: whether the mask allows none, some or all of its pairs. `some` is always a valid answer. */
export type TileClass = "none" | "some" | "all";

/** The lengths that a mask is applied to. Queries are the last `queryLength` of `keyLength` positions. */
export type Extent = {
  readonly queryLength: number;
  readonly keyLength: number;
  /** Batch size and query heads of the call, if known. A mask with a list per sequence or head refuses another number of them. */
  readonly batches?: number;
  readonly heads?: number;
};

/**
 * A mask: the pairs of a query and a key that take part in attention. Masks can be combined. Positions are absolute positions in
 * the sequence, whatever part of it is stored.
 */
export type Mask = {
  /** The call that created it: `slidingWindow(256)`. */
  readonly name: string;
  /** True if the mask may differ between sequences of the batch. */
  readonly perBatch: boolean;
  /** True if the mask may differ between heads. */
  readonly perHead: boolean;
  /** Returns the mask for given lengths, on which some masks depend: top-left alignment, padding. */
  bind(extent: Extent): BoundMask;
  /** Present if the mask depends on numbers that are only on a device. Then `bind` throws, and attention reads this instead. */
  readonly pending?: PendingMask;
};

/** A mask in two parts: a rule that is known on the host, and bool tensors on a device. A query sees a key if all allow it. */
export type PendingMask = {
  /** The part known on the host. Absent: the tensors alone decide. */
  readonly rule?: Mask;
  /** Functions that return bool tensors, broadcastable to `[B, H, T, S]` of a call, with one column per position. */
  readonly visible: readonly ((extent: Required<Extent>) => Tensor)[];
};

/** A mask for known lengths. Queries and keys are given by absolute positions. */
export type BoundMask = {
  /** True if the query sees the key. */
  sees(query: number, key: number, batch: number, head: number): boolean;
  /** Class of the tile of two ranges of positions. */
  tile(query: Range, key: Range, batch: number, head: number): TileClass;
};
