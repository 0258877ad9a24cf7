import { checks } from "@qkv/core";
import { type PagedBlocks, denseSegment } from "@qkv/attention-contract";
import { checkTensor, slice, write, type Tensor } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { checkBatchIds, checkRead, croppedLengths, repeatedBatchIds } from "./check-change.js";
import { checkSaved, everyTokenRule } from "./check-saved.js";
import { checkUpdate } from "./check-update.js";
import { allEqual } from "./positions.js";
import { refuseStates } from "./other-methods.js";
import { storageFormat, tokenType } from "./row-layout.js";
import type { PagePool } from "./page-pool.js";
import { readSaved, writeSaved } from "./saved.js";

/** A cache that stores its tokens in pages of a shared pool. */
export type PagedCache = Omit<KvCache, "fork"> & {
  fork(): PagedCache;
  /** Number of tokens of one page. */
  readonly pageLength: number;
  /** Number of pages of the pool, which forks share. */
  readonly pages: number;
  /** Number of pages that can still be allocated. */
  readonly freePages: number;
  /** The page indices of each sequence, in the order of its tokens (block table). */
  readonly table: readonly (readonly number[])[];
};

/** State of a cache over a pool of pages. */
export type PagedState = {
  readonly pool: PagePool;
  /** The page indices of each sequence, in the order of its tokens (block table). */
  tables: number[][];
  /** Number of tokens by layer, then by sequence. */
  lengths: number[][];
};

/** Creates a cache that stores its tokens in pages of a pool. */
export function createPagedCache(state: PagedState): PagedCache {
  const { pool } = state;
  const { pageLength, numLayers, layout } = pool;
  const form = storageFormat("every token", layout.dtype);
  const batches = () => state.tables.length;
  const lengths = () => state.tables.map((_, b) => Math.min(...state.lengths.map((counts) => counts[b]!)));
  const longest = () => Math.max(0, ...state.lengths.flat());

  /**
   * Finds the shared pages that `T` more tokens of a layer would overwrite, and that must be copied first (copy-on-write).
   * Refuses more pages than the pool can allocate.
   */
  const planPages = (tables: readonly number[][], starts: readonly number[], T: number) => {
    const owners = new Map<number, number>();
    const ownersOf = (page: number) => owners.get(page) ?? pool.refCount(page);
    const copies: { b: number; column: number }[] = [];
    let newPages = 0;
    tables.forEach((table, b) => {
      const end = starts[b]! + T;
      for (let column = Math.floor(starts[b]! / pageLength); T > 0 && column * pageLength < end; column++) {
        const page = table[column];
        if (page === undefined) newPages += 1;
        else if (ownersOf(page) > 1) {
          owners.set(page, ownersOf(page) - 1);
          copies.push({ b, column });
        }
      }
    });
    if (!pool.canAllocate(newPages + copies.length)) outOfPages(newPages + copies.length);
    return copies;
  };
  const outOfPages = (needed: number) =>
    checks("update").refuse({
      argument: "key",
      received: `tokens that need ${needed} more pages`,
      expected: `at most ${pool.available}, what is free of ${pool.pages} pages of ${pageLength} tokens`,
      fix: "crop or reset a cache of the pool, or make it with more `pages`. Nothing was changed.",
    });
  /** Writes keys and values `[B, Hkv, T, D]` page by page: those of sequence b from token `starts[b]` on. */
  const writeRows = (layer: number, key: Tensor, value: Tensor, starts: readonly number[]): void => {
    const T = key.shape[2]!;
    starts.forEach((start, b) => {
      for (let t = 0; t < T;) {
        const indexInPage = (start + t) % pageLength;
        const count = Math.min(T - t, pageLength - indexInPage);
        const page = state.tables[b]![Math.floor((start + t) / pageLength)];
        if (page === undefined) return; // the rest of `key` and `value` is padding of a shorter sequence
        for (const [to, from] of [
          [pool.layers[layer]!.key, key],
          [pool.layers[layer]!.value, value],
        ] as const) {
          const rows = slice(slice(from, 0, b, b + 1), 2, t, t + count);
          write(slice(to, 0, page, page + 1), 2, indexInPage, rows);
        }
        t += count;
      }
    });
  };
  const read = (layer: number) => {
    const counts = state.lengths[layer]!;
    const columns = Math.ceil(Math.max(0, ...counts) / pageLength);
    const table = Int32Array.from(
      state.tables.flatMap((pages) => Array.from({ length: columns }, (_, c) => pages[c] ?? -1)),
    );
    const length = allEqual(counts) ? counts[0]! : Int32Array.from(counts);
    const { key, value } = pool.layers[layer]!;
    const part = (data: Tensor): PagedBlocks => ({ data, table, blockLength: pageLength, length });
    return { key: [part(key)], value: [part(value)], positions: { start: 0 } };
  };
  const release = (): void => {
    for (const page of state.tables.flat()) pool.release(page);
    state.tables = [];
    state.lengths = state.lengths.map(() => []);
  };
  const selectBatches = (ids: readonly number[]): void => {
    const tables = ids.map((id) => [...state.tables[id]!]);
    for (const page of tables.flat()) pool.retain(page);
    const lengths = state.lengths.map((counts) => ids.map((id) => counts[id]!));
    release();
    state.tables = tables;
    state.lengths = lengths;
  };

  return {
    ...refuseStates,
    unrotatedKeys: false,
    numLayers,
    read: (layer) =>
      read(checkRead("read", layer, numLayers, pool.layers[layer] && batches() > 0 ? layer : undefined)),
    pageLength,
    pages: pool.pages,
    get freePages() {
      return pool.available;
    },
    get table() {
      return state.tables.map((pages) => [...pages]);
    },
    update(layer, key, value) {
      const B = batches() || checkTensor("update", "key", key).shape[0]!;
      const buffers = pool.layers[layer] && { ...pool.layers[layer], ...tokenType(layout) };
      const cached = { ...buffers, ...(batches() > 0 && { batches: B }) };
      checkUpdate(layer, numLayers, key, value, Object.keys(cached).length > 0 ? cached : undefined);
      const T = key.shape[2]!;
      const empty = batches() === 0;
      const tables = empty ? Array.from({ length: B }, (): number[] => []) : state.tables;
      const starts = empty ? new Array<number>(B).fill(0) : state.lengths[layer]!;
      const copies = planPages(tables, starts, T);
      const rows = layout.views(layout.rows(key, value));
      pool.ensureBuffers(layer, rows.key, rows.value);
      // All checks have passed: the cache is changed only from here on.
      if (empty) state.lengths = state.lengths.map(() => new Array<number>(B).fill(0));
      state.tables = tables;
      for (const { b, column } of copies) {
        const old = tables[b]![column]!;
        const copy = pool.allocate();
        pool.copy(old, copy);
        pool.release(old);
        tables[b]![column] = copy;
      }
      tables.forEach((table, b) => {
        while (table.length * pageLength < starts[b]! + T) table.push(pool.allocate());
      });
      writeRows(layer, rows.key, rows.value, starts);
      state.lengths[layer] = starts.map((n) => n + T);
      return read(layer);
    },
    get length() {
      return Math.max(0, ...lengths());
    },
    get lengths() {
      return Int32Array.from(lengths());
    },
    get stored() {
      return longest();
    },
    get bytes() {
      return pool.bytes;
    },
    crop(length) {
      const newLengths = croppedLengths(length, lengths());
      state.lengths = state.lengths.map(() => [...newLengths]);
      state.tables.forEach((table, b) => {
        while ((table.length - 1) * pageLength >= newLengths[b]!) pool.release(table.pop()!);
      });
    },
    discard() {
      checks("discard").refuse({
        argument: "cache",
        received: "one whose keys are stored rotated",
        expected: "a cache of unrotated keys that holds every token",
        fix: "make it with `growingCache({ unrotatedKeys: true })`.",
      });
    },
    fork: () => createPagedCache(forkState(state)),
    reorder(ids) {
      checkBatchIds(ids, batches());
      selectBatches(ids);
    },
    repeat(times) {
      selectBatches(repeatedBatchIds(times, batches()));
    },
    reset: release,
    save: () =>
      writeSaved(
        form,
        state.lengths.map((lengths, layer) => {
          if (lengths.length === 0 || !pool.layers[layer]) return undefined;
          const { key, value } = read(layer);
          const tensors = {
            key: denseSegment(key[0]!, lengths.length),
            value: denseSegment(value[0]!, lengths.length),
          };
          return { tensors, numbers: { lengths } };
        }),
      ),
    restore(bytes, device) {
      const currentDevice = pool.layers.find((layer) => layer)?.key.device;
      const saved = readSaved(form, bytes, numLayers, device ?? currentDevice);
      const type = layout.dtype && { dtype: layout.dtype };
      saved.forEach((layer, i) => layer && checkSaved(layer, { ...everyTokenRule(pool.layers[i]), ...type }));
      const lengths = saved.map((layer) => layer?.numbers["lengths"] ?? []);
      const B = Math.max(0, ...lengths.map((counts) => counts.length));
      const pageCounts = Array.from({ length: B }, (_, b) =>
        Math.ceil(Math.max(...lengths.map((counts) => counts[b] ?? 0)) / pageLength),
      );
      const needed = pageCounts.reduce((a, b) => a + b, 0);
      // The pages that only this cache owns become free before the new ones are allocated.
      const ownPages = new Set(state.tables.flat());
      const freed = [...ownPages].filter((page) => pool.refCount(page) === ownReferences(state, page)).length;
      if (needed > pool.available + freed) outOfPages(needed);
      release();
      state.lengths = lengths.map((counts) =>
        counts.length === B ? [...counts] : new Array<number>(B).fill(0),
      );
      state.tables = pageCounts.map((count) => Array.from({ length: count }, () => pool.allocate()));
      saved.forEach((layer, i) => {
        if (!layer) return;
        const { key, value } = layer.tensors as { key: Tensor; value: Tensor };
        pool.ensureBuffers(i, key, value);
        writeRows(i, key, value, new Array<number>(B).fill(0));
      });
    },
  };
}

/** A copy of the state that shares the pages, of which the copy becomes another owner. */
export function forkState({ pool, tables, lengths }: PagedState): PagedState {
  for (const page of tables.flat()) pool.retain(page);
  return { pool, tables: tables.map((pages) => [...pages]), lengths: lengths.map((counts) => [...counts]) };
}

/** The state of a cache without tokens. */
export function emptyState(pool: PagePool): PagedState {
  return { pool, tables: [], lengths: Array.from({ length: pool.numLayers }, () => []) };
}

/** Number of times that the cache itself refers to a page: repeated sequences share pages. */
function ownReferences({ tables }: PagedState, page: number): number {
  return tables.flat().filter((other) => other === page).length;
}
