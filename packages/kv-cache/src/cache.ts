import type { Cache } from "@qkv/attention-contract";
import type { Device } from "@qkv/tensor";

/**
 * A cache of the layers of a model: attention layers append keys and values and read them, recurrent layers replace their
 * state. Between steps, a program crops, forks, reorders and saves it.
 */
export type KvCache = Cache & {
  readonly numLayers: number;
  /** Tokens seen, `[B]`: one number per sequence of the batch. They differ after `crop([…])`. */
  readonly lengths: Int32Array;
  /** Tokens stored for the longest sequence. Less than `length` in caches that evict, 0 in caches of states. */
  readonly stored: number;
  /** Bytes allocated. Buffers that forks share are counted in each fork. */
  readonly bytes: number;
  /** True if keys are stored before the rotary embedding (pre-RoPE) and rotated on read. Absent in caches without keys. */
  readonly unrotatedKeys?: boolean;
  /**
   * Keeps the first `length` tokens of each sequence; a negative number drops that many from the end. A list has one number
   * per sequence of the batch, which converts a padded prompt to sequences of different lengths. Tokens cannot be removed from
   * a state: a cache of states restores one of its checkpoints, and other lengths throw an error.
   */
  crop(length: number | ArrayLike<number>): void;
  /**
   * Removes tokens `start … end - 1`; later tokens move up (context shift). Only for caches of unrotated keys, since a
   * rotated key encodes its old position.
   */
  discard(start: number, end: number): void;
  /** Returns a second cache with the same content. Buffers are copied on write. */
  fork(): KvCache;
  /** Selects sequences of the batch: sequence `ids[i]` moves to index i, as beam search does with its best beams. */
  reorder(ids: readonly number[]): void;
  /** Repeats each sequence of the batch `times` times, with the copies next to each other (`repeat_interleave`). */
  repeat(times: number): void;
  /** Removes all tokens and frees their buffers or pages. */
  reset(): void;
  /** Returns the content as a safetensors file, for {@link KvCache.restore}. */
  save(): Uint8Array;
  /**
   * Replaces the content by a saved one. A file that does not fit throws an error and leaves the cache unchanged.
   *
   * @param device - Device of the content. Default: the device of the current content; in an empty cache the plain `js`
   *   device. Keys and values then move with the first `update`, and states with the first `advance`, so it is needed if a
   *   recurrent layer on another device reads the restored state.
   */
  restore(bytes: Uint8Array, device?: Device): void;
};
