import type { HalfType } from "@qkv/core";

/**
 * The tensors of a model in one or several files of any format. Tensors are read in chunks, so
 * that a large one is never in memory twice.
 */
export type WeightFile = {
  /** Name in messages. */
  readonly name: string;
  /** The reading function, for error messages. */
  readonly fn: string;
  readonly names: readonly string[];
  /** The shape of a tensor; undefined if there is no tensor with this name. */
  shape(name: string): readonly number[] | undefined;
  /** The values of a tensor as float32, in row-major order, in chunks. */
  chunks(name: string): AsyncIterable<Float32Array>;
  /** The type of a tensor stored in 16 bits; undefined for others. */
  half?(name: string): HalfType | undefined;
  /** The bit patterns of a 16-bit tensor, in row-major order, in chunks. */
  halfChunks?(name: string): AsyncIterable<Uint16Array>;
  /** The bytes of a uint8 tensor, in row-major order, in chunks. Undefined for formats without such tensors. */
  bytes?(name: string): AsyncIterable<Uint8Array>;
};

/** Bytes per chunk (4 MiB): large enough to be fast, small compared to a model. */
export const chunkBytes = 4 * 2 ** 20;
