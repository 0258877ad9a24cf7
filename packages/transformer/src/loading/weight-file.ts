import type { HalfType } from "@qkv/core";

/**
 * The tensors of a model as they lie in files: in one or in several, of whatever format. Tensors are read in pieces, so
 * that a large one never lies in memory twice.
 */
export type WeightFile = {
  /** Name in messages. */
  readonly name: string;
  /** The function that reads it, whose name errors carry. */
  readonly fn: string;
  readonly names: readonly string[];
  /** The shape of a tensor; undefined if there is none of this name. */
  shape(name: string): readonly number[] | undefined;
  /** The numbers of a tensor, from the first to the last. */
  pieces(name: string): AsyncIterable<Float32Array>;
  /** The type of a tensor whose numbers the file stores in 16 bits; undefined for others. */
  half?(name: string): HalfType | undefined;
  /** The bit patterns of such a tensor, from the first to the last. */
  halves?(name: string): AsyncIterable<Uint16Array>;
  /** The bytes of a tensor of uint8, from the first to the last, where a format has such. */
  bytes?(name: string): AsyncIterable<Uint8Array>;
};

/** Bytes read at a time: large enough to be fast, small beside a model. */
export const pieceSize = 4 * 2 ** 20;
