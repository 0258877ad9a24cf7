import { checks } from "@qkv/core";
import { emptyState, forkState, pagedOn, type PagedCache, type PagedState } from "./paged-on.js";
import { poolOf, type PagedOptions } from "./paged-cache.js";
import { prefixTree, type PrefixTree } from "./prefix-tree.js";

/** A paged cache that finds again what was computed for the same beginning. */
export type PrefixCache = Omit<PagedCache, "fork"> & {
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
export function prefixCache(options: PagedOptions): PrefixCache {
  const pool = poolOf("prefixCache", options);
  return prefixOn(emptyState(pool), prefixTree(pool));
}

function prefixOn(state: PagedState, tree: PrefixTree): PrefixCache {
  const { pageLength } = state.pool;
  const paged = pagedOn(state);
  return Object.assign(
    Object.defineProperty(paged, "rememberedPages", { get: () => tree.size }) as PrefixCache,
    {
      begin(ids: readonly number[]): number {
        checkTokenIds("begin", ids);
        const pages = tree.find(ids, Math.floor(Math.max(0, ids.length - 1) / pageLength));
        // Held before the old ones are let go: they may be the same.
        for (const page of pages) state.pool.share(page);
        paged.reset();
        if (pages.length === 0) return 0;
        state.tables = [pages];
        state.lengths = state.lengths.map(() => [pages.length * pageLength]);
        return pages.length * pageLength;
      },
      remember(ids: readonly number[]): void {
        checkTokenIds("remember", ids);
        if (paged.lengths.length > 1 || ids.length > paged.length) {
          const batches = paged.lengths.length;
          checks("remember").refuse({
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
        tree.add(ids, (state.tables[0] ?? []).slice(0, whole));
      },
      forgetAll: tree.clear,
      fork: () => prefixOn(forkState(state), tree),
    },
  );
}

/** Refuses what are no ids: `1.5` and `"1"` would be remembered as tokens of their own. */
function checkTokenIds(fn: string, ids: readonly number[]): void {
  const fix = "give what `tokenizer.encode(text)` returns.";
  checks(fn).list({ ids }, "token ids, whole numbers", Number.isSafeInteger, fix);
}
