import { checks } from "@qkv/core";
import type { HalfType } from "@qkv/tensor";
import { checkCacheOptions, checkHalfType } from "./check-change.js";
import { pagePool, type PagePool } from "./page-pool.js";
import { emptyState, createPagedCache, type PagedCache } from "./create-paged-cache.js";
import { layoutWithType } from "./row-layout.js";

export type PagedOptions = {
  /** Pages of the pool, shared by this cache and its forks. */
  pages: number;
  /** Tokens of one page. Default 16. */
  pageLength?: number;
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Stores keys and values in 16 bits, half the memory, each number rounded to the nearest. Default: as they are given. */
  dtype?: HalfType;
};

/**
 * A cache that stores tokens in pages, like the virtual memory of an operating system: a block table lists the pages of each
 * sequence, which may be anywhere in the pool, and attention reads through the table. Tokens never have to be moved. Forks
 * and repeated sequences share pages, and copy a page only when they write to it.
 *
 * The cache and its forks share one pool. `reset` releases the pages of a cache: call it on each fork that is no longer used.
 *
 * @throws {ArgumentError} If an option is not an integer of at least 1, `dtype` is not one of 16 bits, or the pool has more
 *   than 2^31 tokens; and from `update`, which then changes nothing, when the pool has no pages left.
 * @see "Efficient Memory Management for Large Language Model Serving with PagedAttention" (2023), arXiv:2309.06180
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { pagedCache } from "@qkv/kv-cache";
 *
 * const cache = pagedCache({ pages: 8, pageLength: 4 });
 * const x = randn([1, 2, 6, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * cache.freePages; // => 6
 * const other = cache.fork();
 * other.update(0, x, x); // copies the page that is half full, and allocates one more
 * [cache.length, other.length, cache.freePages]; // => [6, 12, 4]
 * other.reset();
 * cache.freePages; // => 6
 * ```
 */
export function pagedCache(options: PagedOptions): PagedCache {
  return createPagedCache(emptyState(createPool("pagedCache", options)));
}

/** Creates the pool of a paged cache from its options. `fn`: the function that errors name. */
export function createPool(fn: string, options: PagedOptions): PagePool {
  const check = checks(fn);
  const {
    pages,
    pageLength = 16,
    numLayers = 1,
    dtype,
  } = check.options(options, ["pages", "pageLength", "numLayers", "dtype"]);
  checkCacheOptions(fn, numLayers);
  checkHalfType(fn, dtype);
  check.whole({ pageLength }, { min: 1, unit: "tokens", fix: "16 is usual." });
  // No array can hold more than 2^31 tokens, whatever the size of a head.
  const max = Math.floor(2 ** 31 / pageLength);
  const fix = "divide the maximum number of tokens to store by the page length.";
  check.whole({ pages }, { min: 1, max, unit: "pages", fix });
  return pagePool({ pages, pageLength, numLayers }, layoutWithType(dtype));
}
