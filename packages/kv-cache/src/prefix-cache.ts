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
   * For each layer of a hybrid model `"paged"`, or the cache that holds it: `[states, "paged", states, "paged"]`. The caches
   * belong to the prefix cache from then on, as those of `mixedCache` do. Default: all of `numLayers` layers are in pages.
   */
  layers?: readonly (KvCache | "paged")[];
  /**
   * The most checkpoints of the caches in `layers` that the prefix tree holds; beyond, the least recently used is released.
   * Default: one for each page.
   */
  checkpoints?: number;
};

/** A paged cache that reuses what was computed for the same prefix. */
export type PrefixCache = Omit<PagedCache, "fork"> & {
  /**
   * Starts another sequence: releases the pages of the last one and takes those of the longest prefix of `ids`
   * that is in the tree. At least one token is left to compute, since its logits give the next token.
   *
   * @returns Number of tokens that are cached already: pass `ids.slice(thatNumber)` to the model.
   */
  matchPrefix(ids: readonly number[]): number;
  /**
   * Adds the tokens that the cache holds to the prefix tree: in full pages, and with `layers` up to the last token, of which
   * it stores a checkpoint.
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
 * A paged cache with a prefix tree: prefixes that sequences share (a system prompt, a document, an earlier
 * conversation) are computed once. Prefixes are matched by full pages in a radix tree; when pages run short, those that
 * no cache uses are evicted, the least recently used first.
 *
 * One sequence at a time goes through one cache; `fork` gives another with the same pool and index.
 *
 * In a hybrid model, `layers` names the caches of layers whose tokens are not in pages: states, windows, latents.
 * `insertPrefix` forks them as a checkpoint at the end of its tokens, whether a page ends there or not. A match ends at the
 * last checkpoint, where every layer has what it needs; what follows is computed again. A checkpoint goes with its page,
 * or when there are more than `checkpoints`. It holds what a fork holds: the state and those to which `crop` goes back.
 *
 * @throws {ArgumentError} As {@link pagedCache} and {@link mixedCache}; from `insertPrefix` where `ids` are more than the
 *   cache holds, it holds several batches, or a layer has no state at their end.
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
      beside: [],
      tree: prefixTree(pool),
      join: (paged) => paged,
    });
  }
  const caches = checkLayers(layers, sizes.numLayers);
  const numLayers = layers.filter((layer) => layer === "paged").length;
  const pool = createPool("prefixCache", { ...sizes, numLayers });
  if (checkpoints !== undefined) check.whole({ checkpoints }, { min: 1, unit: "checkpoints" });
  const tree = prefixTree<readonly KvCache[]>(pool, {
    most: checkpoints ?? pages,
    release: resetAll,
  });
  const join: Held["join"] = (paged, beside) =>
    mixture(
      "prefixCache",
      layers.map((layer) => (layer === "paged" ? paged : beside[caches.indexOf(layer)]!)),
    );
  return createPrefixCache({ state: emptyState(pool), beside: caches, tree, join });
}

/** Pages, the caches of layers that are not in pages, and their checkpoints. */
type Held = {
  readonly state: PagedState;
  readonly beside: readonly KvCache[];
  readonly tree: PrefixTree<readonly KvCache[]>;
  /** The cache of all layers. */
  join(paged: PagedCache, beside: readonly KvCache[]): KvCache;
};

function createPrefixCache({ state, tree, join, ...held }: Held): PrefixCache {
  const { pool } = state;
  const { pageLength } = pool;
  const paged = createPagedCache(state);
  let { beside } = held;
  let cache = join(paged, beside);

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
      // Retained before the old ones are released: they may be the same.
      for (const page of pages) pool.retain(page);
      cache.reset();
      if (tokens === 0) return 0;
      state.tables = [pages];
      state.lengths = state.lengths.map(() => [tokens]);
      if (checkpoint) {
        beside = checkpoint.map((one) => one.fork());
        cache = join(paged, beside);
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
      const checkpoint = beside.length > 0 ? checkpointAt(beside, ids) : undefined;
      // A page that is not full is of use where a checkpoint ends it.
      const count = (checkpoint ? Math.ceil : Math.floor)(ids.length / pageLength);
      tree.insert(ids, (state.tables[0] ?? []).slice(0, count), checkpoint);
    },
    clearPrefixes: tree.clear,
    fork: () =>
      createPrefixCache({
        ...{ state: forkState(state), tree, join },
        beside: beside.map((one) => one.fork()),
      }),
  };
}

const resetAll = (caches: readonly KvCache[]): void => {
  for (const cache of caches) cache.reset();
};

/** Forks of the caches as they were after the tokens. Refuses tokens to which one of them cannot go back. */
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

/** The caches of a hybrid model's layers, each once. Refuses layers without pages, and without anything beside them. */
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

/** Refuses values that are not ids: `1.5` and `"1"` would be keys of their own in the tree. */
function checkTokenIds(fn: string, ids: readonly number[]): void {
  const fix = "give what `tokenizer.encode(text)` returns.";
  checks(fn).list({ ids }, "token ids, whole numbers", Number.isSafeInteger, fix);
}
