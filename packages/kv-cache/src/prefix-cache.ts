import { checks } from "@qkv/core";
import {
  emptyState,
  forkState,
  createPagedCache,
  type PagedCache,
  type PagedState,
} from "./create-paged-cache.js";
import { createPool, type PagedOptions } from "./paged-cache.js";
import { prefixTree, type PrefixTree } from "./prefix-tree.js";

/** A paged cache that reuses keys and values computed for the same prefix. */
export type PrefixCache = Omit<PagedCache, "fork"> & {
  /**
   * Starts another sequence: releases the pages of the last one and takes those of the longest prefix of `ids`
   * that is in the tree. At least one token is left to compute, since its logits give the next token.
   *
   * @returns Number of tokens that are cached already: pass `ids.slice(thatNumber)` to the model.
   */
  matchPrefix(ids: readonly number[]): number;
  /**
   * Adds the tokens that the cache holds, in full pages, to the prefix tree.
   *
   * @param ids - Ids of the cached tokens, from the first on. A cache cannot check them against its keys: wrong ids
   *   corrupt the tree.
   */
  insertPrefix(ids: readonly number[]): void;
  /** Removes all prefixes; pages in use stay with the caches that use them. */
  clearPrefixes(): void;
  /** Pages that the prefix tree holds. */
  readonly prefixPages: number;
  fork(): PrefixCache;
};

/**
 * A paged cache with a prefix tree: a second question about the same document, the next message of a
 * conversation, a system prompt, are computed once. Prefixes are matched by full pages in a radix tree; when pages run
 * short, those that no cache uses are evicted, the least recently used first.
 *
 * One sequence at a time goes through one cache; `fork` gives another with the same pool and index.
 *
 * @throws {ArgumentError} As {@link pagedCache}; from `insertPrefix` where `ids` are more than the cache holds, or it holds
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
 * cache.matchPrefix(ids); // => 0
 * const x = randn([1, 2, 10, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * cache.insertPrefix(ids);
 *
 * cache.matchPrefix([1, 5, 9, 2, 6, 5, 3, 5, 0, 0, 7]); // => 8
 * cache.length; // => 8
 * ```
 */
export function prefixCache(options: PagedOptions): PrefixCache {
  const pool = createPool("prefixCache", options);
  return createPrefixCache(emptyState(pool), prefixTree(pool));
}

function createPrefixCache(state: PagedState, tree: PrefixTree): PrefixCache {
  const { pageLength } = state.pool;
  const paged = createPagedCache(state);
  return Object.assign(Object.defineProperty(paged, "prefixPages", { get: () => tree.size }) as PrefixCache, {
    matchPrefix(ids: readonly number[]): number {
      checkTokenIds("matchPrefix", ids);
      const pages = tree.match(ids, Math.floor(Math.max(0, ids.length - 1) / pageLength));
      // Retained before the old ones are released: they may be the same.
      for (const page of pages) state.pool.retain(page);
      paged.reset();
      if (pages.length === 0) return 0;
      state.tables = [pages];
      state.lengths = state.lengths.map(() => [pages.length * pageLength]);
      return pages.length * pageLength;
    },
    insertPrefix(ids: readonly number[]): void {
      checkTokenIds("insertPrefix", ids);
      if (paged.lengths.length > 1 || ids.length > paged.length) {
        const batches = paged.lengths.length;
        checks("insertPrefix").refuse({
          argument: "ids",
          received: `${ids.length} tokens`,
          expected:
            batches > 1
              ? `a cache of one sequence, and it has ${batches}`
              : `at most the ${paged.length} that the cache holds`,
          fix: "give the ids of the tokens whose keys are in the cache: the last one generated may not be there yet.",
        });
      }
      const whole = Math.floor(ids.length / pageLength);
      tree.insert(ids, (state.tables[0] ?? []).slice(0, whole));
    },
    clearPrefixes: tree.clear,
    fork: () => createPrefixCache(forkState(state), tree),
  });
}

/** Refuses what are no ids: `1.5` and `"1"` would be keys of their own in the tree. */
function checkTokenIds(fn: string, ids: readonly number[]): void {
  const fix = "give what `tokenizer.encode(text)` returns.";
  checks(fn).list({ ids }, "token ids, whole numbers", Number.isSafeInteger, fix);
}
