import type { Tensor } from "@qkv/tensor";

/**
 * Keys and values as attention reads them: segments in order of position, read in place. Queries are the last positions
 * of their batch.
 *
 * @typeParam T - A tensor, or a kernel's view of one.
 */
export type KeyValues<T = Tensor> = {
  /** Segments of [B, Hkv, Sᵢ, D]. */
  readonly key: readonly KeyValueSegment<T>[];
  /** Segments of [B, Hkv, Sᵢ, Dv]. */
  readonly value: readonly KeyValueSegment<T>[];
  /**
   * Positions of the keys in the sequence: from `start` on without gaps, or one by one ([S], or [B, S] row-major), where
   * -1 is a place that holds nothing.
   */
  readonly positions: { readonly start: number } | Int32Array;
};

/** Keys or values of consecutive tokens: one tensor, or pages of it in any order. */
export type KeyValueSegment<T = Tensor> = T | PagedBlocks<T>;

/** Rows in blocks: token s of batch b is row `s % blockLength` of block `table[b, ⌊s / blockLength⌋]`. */
export type PagedBlocks<T = Tensor> = {
  /** [blocks, Hkv, blockLength, D]. Whole numbers (int8) are multiplied with `scale`. */
  readonly data: T;
  /** Factors of the data, 1 along the axis that shares a scale: [blocks, Hkv, 1, D] or [blocks, Hkv, blockLength, 1]. */
  readonly scale?: T;
  /** [B, blocks of one batch], row-major. */
  readonly table: Int32Array;
  readonly blockLength: number;
  /** Tokens: of all batches, or of each. */
  readonly length: number | Int32Array;
};
