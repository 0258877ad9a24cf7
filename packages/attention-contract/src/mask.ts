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
  readonly perBatch: boolean;
  readonly perHead: boolean;
  /** Fixes the extent, which some masks need: a top-left alignment, padding lengths. */
  bind(extent: Extent): BoundMask;
};

export type BoundMask = {
  sees(query: number, key: number, batch: number, head: number): boolean;
  tile(query: Range, key: Range, batch: number, head: number): TileClass;
};
