import { checks, isQkvError } from "@qkv/core";
import type { KvCache } from "./cache.js";
import { isCache } from "./check-change.js";
import {
  emptyState,
  forkState,
  createPagedCache,
  type PagedCache,
  type PagedState,
} from "./create-paged-cache.js";
import { mixture } from "./mixed-cache.js";
import { createPool, type PagedOptions } from "./paged-cache.js";
import { prefixTree, type PrefixTree } from "./prefix-tree.js";

export type PrefixOptions = PagedOptions & {
  /**
   * The cache of each layer of a hybrid model, or `"paged"`: `[states, "paged", states, "paged"]`. As with `mixedCache`, the
   * caches must not be used directly afterwards. Default: all `numLayers` layers are paged.
   */
  layers?: readonly (KvCache | "paged")[];
  /**
   * Largest number of checkpoints of the caches in `layers` that the prefix tree holds. Beyond it, the least recently used
   * checkpoint is released. Default: the number of pages.
   */
  checkpoints?: number;
};

/** A paged cache that reuses the keys and values of prefixes that were computed before. */
export type PrefixCache = Omit<PagedCache, "fork"> & {
  /**
   * Starts another sequence: releases the pages of the current one, and shares those of the longest cached prefix of `ids`.
   * The last token of `ids` is never part of the match: the model must compute it, since its logits give the next token.
   *
   * @returns Number of cached tokens, n: pass `ids.slice(n)` to the model.
   */
  matchPrefix(ids: readonly number[]): number;
  /**
   * Adds the cached tokens to the prefix tree: all full pages, and with `layers` also a checkpoint of the other caches after
   * the last token of `ids`.
   *
   * @param ids - Ids of the cached tokens, from the first on. They cannot be checked against the keys: wrong ids corrupt the
   *   tree.
   */
  insertPrefix(ids: readonly number[]): void;
  /** Removes all prefixes from the tree. Pages that a cache uses stay allocated. */
  clearPrefixes(): void;
  /** Number of pages in the prefix tree. */
  readonly prefixPages: number;
  fork(): PrefixCache;
};

/**
 * A paged cache with a prefix tree: prefixes that sequences share (a system prompt, a document, an earlier
 * conversation) are computed once. Prefixes are matched by full pages in a radix tree. When no page is free, pages that no
 * cache uses are evicted, the least recently used first.
 *
 * A cache holds one sequence at a time; `fork` returns another cache with the same pool and prefix tree.
 *
 * In a hybrid model, `layers` lists the caches of the layers that are not paged: states, windows, latents. `insertPrefix`
 * stores forks of them as a checkpoint after the last of its tokens, which need not be the end of a page. A match ends at the
 * last checkpoint on its path, since only there every layer can continue; later tokens are computed again. A checkpoint is
 * released together with its page, or when there are more than `checkpoints`. It holds all that a fork holds, including the
 * states to which `crop` can go back.
 *
 * @throws {ArgumentError} As {@link pagedCache} and {@link mixedCache}; from `insertPrefix` if there are more `ids` than cached
 *   tokens, the batch has several sequences, or a layer has no state after the last of the `ids`.
 * @see "SGLang: Efficient Execution of Structured Language Model Programs" (2023), arXiv:2312.07104
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { prefixCache, stateCache } from "@qkv/kv-cache";
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
 *
 * const hybrid = prefixCache({ pages: 16, pageLength: 4, layers: [stateCache(), "paged"] });
 * hybrid.advance(0, { state: randn([1, 2, 8, 8], { seed: 2 }) }, 10);
 * hybrid.update(1, x, x);
 * hybrid.insertPrefix(ids); // a state after these 10 tokens, and no other
 * hybrid.matchPrefix([...ids, 7, 7]); // => 10
 * hybrid.matchPrefix([1, 5, 9, 2, 6, 5, 3, 5, 0, 0, 7]); // => 0
 * ```
 */
export function prefixCache(options: PrefixOptions): PrefixCache {
  const check = checks("prefixCache");
  const names = ["pages", "pageLength", "numLayers", "dtype", "layers", "checkpoints"] as const;
  const { layers, checkpoints, ...sizes } = check.options(options, names);
  const { pages } = sizes;
  if (layers === undefined) {
    if (checkpoints !== undefined) refuseWithoutLayers(checkpoints);
    const pool = createPool("prefixCache", sizes);
    return createPrefixCache({
      state: emptyState(pool),
      otherCaches: [],
      tree: prefixTree(pool),
      combine: (paged) => paged,
    });
  }
  const caches = checkLayers(layers, sizes.numLayers);
  const numLayers = layers.filter((layer) => layer === "paged").length;
  const pool = createPool("prefixCache", { ...sizes, numLayers });
  if (checkpoints !== undefined) check.whole({ checkpoints }, { min: 1, unit: "checkpoints" });
  const tree = prefixTree<readonly KvCache[]>(pool, {
    limit: checkpoints ?? pages,
    release: resetAll,
  });
  const combine: PrefixCacheParts["combine"] = (paged, otherCaches) =>
    mixture(
      "prefixCache",
      layers.map((layer) => (layer === "paged" ? paged : otherCaches[caches.indexOf(layer)]!)),
    );
  return createPrefixCache({ state: emptyState(pool), otherCaches: caches, tree, combine });
}

/** Parts of a prefix cache. */
type PrefixCacheParts = {
  /** Block tables of the paged layers. */
  readonly state: PagedState;
  /** Caches of the layers that are not paged. */
  readonly otherCaches: readonly KvCache[];
  readonly tree: PrefixTree<readonly KvCache[]>;
  /** Combines the paged cache and the others to the cache of all layers. */
  combine(paged: PagedCache, otherCaches: readonly KvCache[]): KvCache;
};

function createPrefixCache({ state, tree, combine, ...parts }: PrefixCacheParts): PrefixCache {
  const { pool } = state;
  const { pageLength } = pool;
  const paged = createPagedCache(state);
  let { otherCaches } = parts;
  let cache = combine(paged, otherCaches);

  return {
    unrotatedKeys: false,
    numLayers: cache.numLayers,
    pageLength,
    pages: pool.pages,
    get freePages() {
      return paged.freePages;
    },
    get table() {
      return paged.table;
    },
    get prefixPages() {
      return tree.size;
    },
    get length() {
      return cache.length;
    },
    get lengths() {
      return cache.lengths;
    },
    get stored() {
      return cache.stored;
    },
    get bytes() {
      return tree.checkpoints.flat().reduce((sum, { bytes }) => sum + bytes, cache.bytes);
    },
    update: (layer, key, value, query) => cache.update(layer, key, value, query),
    read: (layer) => cache.read(layer),
    state: (layer) => cache.state(layer),
    advance: (layer, state, tokens) => cache.advance(layer, state, tokens),
    crop: (length) => cache.crop(length),
    discard: (start, end) => cache.discard(start, end),
    reorder: (ids) => cache.reorder(ids),
    repeat: (times) => cache.repeat(times),
    reset: () => cache.reset(),
    save: () => cache.save(),
    restore: (bytes, device) => cache.restore(bytes, device),
    matchPrefix(ids) {
      checkTokenIds("matchPrefix", ids);
      const { tokens, pages, checkpoint } = tree.match(ids, Math.max(0, ids.length - 1));
      // Retained before the current pages are released, since some may be the same.
      for (const page of pages) pool.retain(page);
      cache.reset();
      if (tokens === 0) return 0;
      state.tables = [pages];
      state.lengths = state.lengths.map(() => [tokens]);
      if (checkpoint) {
        otherCaches = checkpoint.map((other) => other.fork());
        cache = combine(paged, otherCaches);
      }
      return tokens;
    },
    insertPrefix(ids) {
      checkTokenIds("insertPrefix", ids);
      const batches = cache.lengths.length;
      if (batches > 1 || ids.length > cache.length) {
        refuseIds(
          ids,
          batches > 1
            ? `a cache of one sequence, and it has ${batches}`
            : `at most the ${cache.length} that the cache holds`,
          "give the ids of the tokens whose keys are in the cache: the last one generated may not be there yet.",
        );
      }
      const checkpoint = otherCaches.length > 0 ? checkpointAt(otherCaches, ids) : undefined;
      // The last page may be partly filled if there is a checkpoint, since a match can then end within it.
      const count = (checkpoint ? Math.ceil : Math.floor)(ids.length / pageLength);
      tree.insert(ids, (state.tables[0] ?? []).slice(0, count), checkpoint);
    },
    clearPrefixes: tree.clear,
    fork: () =>
      createPrefixCache({
        ...{ state: forkState(state), tree, combine },
        otherCaches: otherCaches.map((other) => other.fork()),
      }),
  };
}

const resetAll = (caches: readonly KvCache[]): void => {
  for (const cache of caches) cache.reset();
};

/** Forks of the caches, cropped to the length of `ids`. Refuses a length to which one of them cannot be cropped. */
function checkpointAt(caches: readonly KvCache[], ids: readonly number[]): readonly KvCache[] {
  const forks = caches.map((cache) => cache.fork());
  try {
    for (const fork of forks) fork.crop(ids.length);
    return forks;
  } catch (error) {
    resetAll(forks);
    if (!isQkvError(error)) throw error;
    return refuseIds(
      ids,
      `all ${caches[0]!.length} that the cache holds, or a length of which each layer has a state`,
      "insert a prefix when its last token was computed, before the tokens that follow it.",
    );
  }
}

function refuseIds(ids: readonly number[], expected: string, fix: string): never {
  return checks("insertPrefix").refuse({
    argument: "ids",
    received: `${ids.length} tokens`,
    expected,
    fix,
  });
}

/** The distinct caches of a hybrid model's layers. Refuses `layers` of which none or all are `"paged"`. */
function checkLayers(layers: readonly (KvCache | "paged")[], numLayers: number | undefined): KvCache[] {
  const check = checks("prefixCache", { argument: "layers" });
  const fix = 'write `layers: [stateCache(), "paged"]`, or `numLayers` where all layers are in pages.';
  checks("prefixCache").list(
    { layers },
    'caches and "paged", one for each layer',
    (layer) => layer === "paged" || isCache(layer),
    fix,
  );
  const caches = layers.filter((layer) => layer !== "paged");
  if (numLayers !== undefined || caches.length === 0 || caches.length === layers.length) {
    check.refuse({
      received: numLayers !== undefined ? "given beside `numLayers`" : `${layers.length} layers of one kind`,
      expected:
        'layers of which some are "paged" and some have a cache of their own, in place of `numLayers`',
      fix,
    });
  }
  return [...new Set(caches)];
}

function refuseWithoutLayers(checkpoints: number): never {
  return checks("prefixCache").refuse({
    argument: "checkpoints",
    received: checkpoints,
    expected: "none without `layers`: pages need no checkpoints",
    fix: "leave it out, or give `layers` with the caches of those that are not in pages.",
  });
}

/** Refuses values that are not integers: `1.5` or `"1"` would become keys of the tree. */
function checkTokenIds(fn: string, ids: readonly number[]): void {
  const fix = "give what `tokenizer.encode(text)` returns.";
  checks(fn).list({ ids }, "token ids, integers", Number.isSafeInteger, fix);
}
