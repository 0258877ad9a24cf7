import type { Cache } from "@qkv/tensor";

/** A KV cache: what layers append to and attention reads, with what a program does to it between steps. */
export type KvCache = Cache & {
  /** Tokens seen, per batch. */
  readonly lengths: Int32Array;
  /** Tokens held. Differs from `length` in caches that forget. */
  readonly stored: number;
  /** Bytes allocated. */
  readonly bytes: number;
  /** Keeps the first `length` tokens; a negative number drops that many from the end. */
  crop(length: number): void;
  /** A second cache with the same content. Nothing is copied until one of them is written to. */
  fork(): KvCache;
  /** Puts batch `ids[i]` at place i: how beam search keeps its best. */
  reorder(ids: readonly number[]): void;
  /** Each batch `times` times, copies next to each other. */
  repeat(times: number): void;
  /** Forgets everything. */
  reset(): void;
  /** The content as bytes, for {@link KvCache.restore}. */
  save(): Uint8Array;
  /** Takes over saved content. A file that does not fit is refused and the cache keeps what it holds. */
  restore(bytes: Uint8Array): void;
};
