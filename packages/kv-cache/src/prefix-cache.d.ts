import { type PagedCache } from "./paged-on.js";
import { type PagedOptions } from "./paged-cache.js";
/** A paged cache that finds again what was computed for the same beginning. */
export type PrefixCache = PagedCache & {
  /**
   * Begins another sequence: what the cache held is let go, and it takes the pages of the longest beginning of `ids`
   * that is known. At least one token is left to compute, since a model answers with the logits of the last one.
   *
   * @returns How many of the tokens are there already: pass `ids.slice(that)` to the model.
   */
  begin(ids: readonly number[]): number;
  /**
   * Remembers the tokens that the cache holds now, in whole pages, for whoever begins alike.
   *
   * @param ids - What it holds, from the first token on. A cache cannot tell keys from others: ids that are not those
   *   of its keys poison the index.
   */
  remember(ids: readonly number[]): void;
  /** Forgets all beginnings; pages in use stay with the caches that use them. */
  forgetAll(): void;
  /** Pages that the index of beginnings holds. */
  readonly rememberedPages: number;
  fork(): PrefixCache;
};
/**
 * A paged cache with an index of beginnings: a second question about the same document, a second turn of a
 * conversation, a system prompt, are computed once. Beginnings are matched by whole pages in a radix tree; when pages run
 * short, those that nobody uses are given up, the longest unused first.
 *
 * One sequence at a time goes through one cache; `fork` gives another with the same pool and index.
 *
 * @throws {ArgumentError} As {@link pagedCache}; from `remember` where `ids` are more than the cache holds, or it holds
 *   several batches.
 * @see "SGLang: Efficient Execution of Structured Language Model Programs" (2023), arXiv:2312.07104
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { prefixCache } from "@qkv/kv-cache";
 *
 * const cache = prefixCache({ pages: 16, pageLength: 4 });
 * const ids = [1, 5, 9, 2, 6, 5, 3, 5, 8, 9];
 * cache.begin(ids); // => 0
 * const x = randn([1, 2, 10, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * cache.remember(ids);
 *
 * cache.begin([1, 5, 9, 2, 6, 5, 3, 5, 0, 0, 7]); // => 8
 * cache.length; // => 8
 * ```
 */
export declare function prefixCache(options: PagedOptions): PrefixCache;
