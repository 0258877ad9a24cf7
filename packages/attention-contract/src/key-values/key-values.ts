import type { Tensor } from "@qkv/tensor";

/**
 * Keys and values as attention reads them: segments that are read in place. Queries are the last positions of their sequence.
 *
 * @typeParam T - A tensor, or a kernel's view of one.
 */
export type KeyValues<T = Tensor> = {
  /**
   * Segments of keys, `[B, Hkv, Sᵢ, D]`, with S = Σ Sᵢ. They have the type of the query; for a float32 query they may also be float16
   * or bfloat16.
   */
  readonly key: readonly KeyValueSegment<T>[];
  /** Segments of values, `[B, Hkv, Sᵢ, Dv]`. */
  readonly value: readonly KeyValueSegment<T>[];
  /**
   * Positions of the keys in the sequence: consecutive from `start` on, or an array, in which -1 marks an empty slot. The array is
   * `[S]`, `[B, S]` if sequences differ, or `[B, Hkv, S]` if key-value heads differ, row-major.
   */
  readonly positions: { readonly start: number } | Int32Array;
};

/** Keys or values of some of the tokens: one tensor, or paged blocks. */
export type KeyValueSegment<T = Tensor> = T | PagedBlocks<T>;

/** Keys or values in blocks: token s of sequence b is row `s % blockLength` of block `table[b, ⌊s / blockLength⌋]`. */
export type PagedBlocks<T = Tensor> = {
  /** Blocks, `[blocks, Hkv, blockLength, D]`. With a `scale`, the data are quantization codes, which are multiplied by it. */
  readonly data: T;
  /** Scales of the data: per channel, `[blocks, Hkv, 1, D]`, or per token, `[blocks, Hkv, blockLength, 1]`. */
  readonly scale?: T;
  /** Block table: indices of the blocks of each sequence, `[B, blocks per sequence]`, row-major. */
  readonly table: Int32Array;
  /** Number of tokens of one block. */
  readonly blockLength: number;
  /** Number of tokens: one number for all sequences, or `[B]`. */
  readonly length: number | Int32Array;
};
