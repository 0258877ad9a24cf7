import type { Cache, KeyValues } from "@qkv/attention-contract";

/** A KV cache: what layers append to and attention reads, with what a program does to it between steps. */
export type KvCache = Cache & {
  readonly numLayers: number;
  /** What the next token will see of a layer, without appending one. */
  read(layer: number): KeyValues;
  /** Tokens seen, per batch. Batches differ after `crop([…])`. */
  readonly lengths: Int32Array;
  /** Tokens held, of the longest batch. Differs from `length` in caches that forget. */
  readonly stored: number;
  /** Bytes allocated. What forks share counts for each of them. */
  readonly bytes: number;
  /** Whether keys are stored before their rotary turn and turned at each read. */
  readonly positionless: boolean;
  /**
   * Keeps the first `length` tokens of each batch; a negative number drops that many from the end. One number, or one
   * for each batch: that is how a padded prompt becomes sequences of different lengths.
   */
  crop(length: number | ArrayLike<number>): void;
  /**
   * Takes tokens `start … end - 1` out of the middle, as if they had never been said; those after them move up. For
   * positionless caches, since stored turns tell where a key once stood.
   */
  discard(start: number, end: number): void;
  /** A second cache with the same content. Nothing is copied until one of them is written to. */
  fork(): KvCache;
  /** Puts batch `ids[i]` at place i: how beam search keeps its best. */
  reorder(ids: readonly number[]): void;
  /** Each batch `times` times, copies next to each other. */
  repeat(times: number): void;
  /** Forgets everything, and gives back what it held. */
  reset(): void;
  /** The content as bytes, for {@link KvCache.restore}. */
  save(): Uint8Array;
  /** Takes over saved content. A file that does not fit is refused and the cache keeps what it holds. */
  restore(bytes: Uint8Array): void;
};
