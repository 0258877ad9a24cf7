import type { Tensor } from "@qkv/tensor";

/**
 * Keys and values as attention reads them: segments in order of position, read in place. Queries are the last positions
 * of their batch.
 *
 * @typeParam T - A tensor, or a kernel's view of one.
 */
export type KeyValues<T = Tensor> = {
  /** Segments of [B, Hkv, Sᵢ, D], of the query's type, or of float16 or bfloat16 where that is float32. */
  readonly key: readonly KeyValueSegment<T>[];
  /** Segments of [B, Hkv, Sᵢ, Dv]. */
  readonly value: readonly KeyValueSegment<T>[];
  /**
   * Positions of the keys in the sequence: from `start` on without gaps, or one by one, where -1 is a slot that holds no
   * token: [S], [B, S] row-major where batches differ, or [B, Hkv, S] where key-value heads do.
   */
  readonly positions: { readonly start: number } | Int32Array;
};

/** Keys or values of consecutive tokens: one tensor, or pages of it in any order. */
export type KeyValueSegment<T = Tensor> = T | PagedBlocks<T>;

/** Rows in blocks: token s of batch b is row `s % blockLength` of block `table[b, ⌊s / blockLength⌋]`. */
export type PagedBlocks<T = Tensor> = {
  /** [blocks, Hkv, blockLength, D]. Codes of int8 and 16 bits are multiplied by `scale`, where there is one. */
  readonly data: T;
  /** Scales of the data: per channel [blocks, Hkv, 1, D], or per token [blocks, Hkv, blockLength, 1]. */
  readonly scale?: T;
  /** Block indices (block table) [B, blocks of one batch], row-major. */
  readonly table: Int32Array;
  readonly blockLength: number;
  /** Number of tokens: one for all batches, or one per batch. */
  readonly length: number | Int32Array;
};
