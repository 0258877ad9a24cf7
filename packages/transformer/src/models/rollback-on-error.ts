import type { Cache } from "@qkv/attention-contract";

/** The optional methods of a cache that a rollback uses. */
type RollbackCache = Cache & { crop?(lengths: ArrayLike<number> | number): void; reset?(): void };

/**
 * Runs a function that appends tokens to a cache, layer by layer. If it throws, these tokens are removed from all layers, so
 * that the call can be repeated.
 *
 * A cache that has overwritten earlier tokens is reset: its `length` of 0 shows that all tokens have to be passed again.
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
