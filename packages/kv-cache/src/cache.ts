import type { Cache } from "@qkv/attention-contract";
import type { Device } from "@qkv/tensor";

/**
 * A cache: keys and values that attention layers append and read, states that recurrent layers replace, and the operations
 * of a program between steps.
 */
export type KvCache = Cache & {
  readonly numLayers: number;
  /** Tokens seen, per batch. Batches differ after `crop([…])`. */
  readonly lengths: Int32Array;
  /** Tokens stored for the longest batch. Less than `length` in caches that evict, 0 in caches of states. */
  readonly stored: number;
  /** Bytes allocated. Buffers that forks share count for each of them. */
  readonly bytes: number;
  /** True if keys are stored before the rotary embedding (pre-RoPE) and rotated on read. Absent where no keys are held. */
  readonly unrotatedKeys?: boolean;
  /**
   * Keeps the first `length` tokens of each batch; a negative number drops that many from the end. One number, or one
   * for each batch, so that a padded prompt becomes sequences of different lengths. A state cannot lose a token: a cache of
   * states goes back to its checkpoints and refuses other lengths.
   */
  crop(length: number | ArrayLike<number>): void;
  /**
   * Removes tokens `start … end - 1` from the middle; those after them move up (context shift). For
   * caches of unrotated keys, since a rotated key encodes its old position.
   */
  discard(start: number, end: number): void;
  /** A second cache with the same content, copied on write. */
  fork(): KvCache;
  /** Puts batch `ids[i]` at index i, as beam search does with its best beams. */
  reorder(ids: readonly number[]): void;
  /** Each batch `times` times, copies next to each other. */
  repeat(times: number): void;
  /** Removes all tokens and frees their buffers or pages. */
  reset(): void;
  /** The content as bytes, for {@link KvCache.restore}. */
  save(): Uint8Array;
  /**
   * Replaces the content by a saved one. A file that does not fit is refused and leaves the cache unchanged.
   *
   * @param device - Device of the content. Default: that of what the cache holds; in an empty cache the plain `js` device,
   *   from which keys and values move with the first update. States move with the first `advance`, so a mixer on another
   *   device that continues from them needs it.
   */
  restore(bytes: Uint8Array, device?: Device): void;
};
