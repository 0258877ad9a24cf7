import type { Cache } from "@qkv/attention-contract";

/** A cache with the methods that a rollback uses, if it has them. */
type RollbackCache = Cache & { crop?(lengths: ArrayLike<number> | number): void; reset?(): void };

/**
 * Runs a function that appends tokens to a cache, layer by layer. If it throws, they are removed from all layers, so
 * that the cache is as long as before in each: a call that is made again finds what the first one found.
 *
 * A cache that has overwritten what it would go back to is emptied: its `length` of 0 says what it lacks.
 */
export function rollbackOnError<T>(cache: RollbackCache | undefined, append: () => T): T {
  if (!cache) return append();
  const lengths = cache.lengths ?? cache.length;
  const empty = cache.length === 0;
  try {
    return append();
  } catch (error) {
    try {
      if (empty) cache.reset?.();
      else cache.crop?.(lengths);
    } catch {
      cache.reset?.();
    }
    throw error;
  }
}
