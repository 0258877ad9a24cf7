import type { Tensor } from "@qkv/tensor";

/**
 * Keys and values as attention reads them: parts in order of position, read in place. `positions` says where the
 * keys stand in the sequence: from `start` on without gaps, or one by one ([S], or [B, S] row-major), where -1 is a
 * place that holds nothing. Queries are the last ones of their batch.
 */
export type KeyValues = {
  /** Parts of [B, Hkv, Sᵢ, D]. */
  readonly key: readonly Part[];
  /** Parts of [B, Hkv, Sᵢ, Dv]. */
  readonly value: readonly Part[];
  readonly positions: { readonly start: number } | Int32Array;
};

/** Keys or values of some tokens: one tensor, or blocks of it in any order. */
export type Part = Tensor | Blocks;

/** Rows that lie in blocks: token s of batch b is row `s % blockLength` of block `table[b, ⌊s / blockLength⌋]`. */
export type Blocks = {
  /** [blocks, Hkv, blockLength, D]. Whole numbers (int8) are multiplied with `scale`. */
  readonly data: Tensor;
  /** What the data are multiplied with, 1 along what shares a scale: [blocks, Hkv, 1, D] or [blocks, Hkv, blockLength, 1]. */
  readonly scale?: Tensor;
  /** [B, blocks of one batch], row-major. */
  readonly table: Int32Array;
  readonly blockLength: number;
  /** Tokens: of all batches, or of each. */
  readonly length: number | Int32Array;
};
