import { checks } from "@qkv/core";
import { type PagedBlocks, denseSegment } from "@qkv/attention-contract";
import { checkTensor, slice, write, type Tensor } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { checkBatchIds, checkRead, croppedLengths, repeatedBatchIds } from "./check-change.js";
import { checkSaved, everyTokenRule } from "./check-saved.js";
import { checkUpdate } from "./check-update.js";
import { allEqual } from "./positions.js";
import { refuseStates } from "./other-methods.js";
import { formOf, givenType } from "./row-layout.js";
import type { PagePool } from "./page-pool.js";
import { readSaved, writeSaved } from "./saved.js";

/** A cache in pages. */
export type PagedCache = Omit<KvCache, "fork"> & {
  fork(): PagedCache;
  /** Tokens of one page. */
  readonly pageLength: number;
  /** Pages of the pool, which forks share. */
  readonly pages: number;
  /** Pages that an update can still allocate. */
  readonly freePages: number;
  /** The pages of each batch, in the order of its tokens. */
  readonly table: readonly (readonly number[])[];
};

/** State of a cache over a pool of pages. */
export type PagedState = {
  readonly pool: PagePool;
  /** The pages of each batch. */
  tables: number[][];
  /** Tokens of each layer and batch. */
  lengths: number[][];
};

/** Creates a cache over pages of a pool. */
export function createPagedCache(state: PagedState): PagedCache {
  const { pool } = state;
  const { pageLength, numLayers, layout } = pool;
  const form = formOf("every token", layout.dtype);
  const batches = () => state.tables.length;
  const lengths = () => state.tables.map((_, b) => Math.min(...state.lengths.map((own) => own[b]!)));
  const longest = () => Math.max(0, ...state.lengths.flat());

  /**
   * Copies that `T` more tokens of a layer need before they are written: pages that are shared and would
   * be written to. Refuses what the pool cannot give.
   */
  const planPages = (tables: readonly number[][], starts: readonly number[], T: number) => {
    const owners = new Map<number, number>();
    const ownersOf = (page: number) => owners.get(page) ?? pool.refCount(page);
    const copies: { b: number; column: number }[] = [];
    let more = 0;
    tables.forEach((table, b) => {
      const end = starts[b]! + T;
      for (let column = Math.floor(starts[b]! / pageLength); T > 0 && column * pageLength < end; column++) {
        const page = table[column];
        if (page === undefined) more += 1;
        else if (ownersOf(page) > 1) {
          owners.set(page, ownersOf(page) - 1);
          copies.push({ b, column });
        }
      }
    });
    if (!pool.canAllocate(more + copies.length)) outOfPages(more + copies.length);
    return copies;
  };
  const outOfPages = (needed: number) =>
    checks("update").refuse({
      argument: "key",
      received: `tokens that need ${needed} more pages`,
      expected: `at most ${pool.available}, what is free of ${pool.pages} pages of ${pageLength} tokens`,
      fix: "crop or reset a cache of the pool, or make it with more `pages`. Nothing was changed.",
    });
  /** Writes the tokens of rows `[B, Hkv, T, D]`, page by page, those of each batch from its own start on. */
  const writeRows = (layer: number, key: Tensor, value: Tensor, starts: readonly number[]): void => {
    const T = key.shape[2]!;
    starts.forEach((start, b) => {
      for (let t = 0; t < T;) {
        const within = (start + t) % pageLength;
        const count = Math.min(T - t, pageLength - within);
        const page = state.tables[b]![Math.floor((start + t) / pageLength)];
        if (page === undefined) return; // the padding of a shorter batch
        for (const [to, from] of [
          [pool.layers[layer]!.key, key],
          [pool.layers[layer]!.value, value],
        ] as const) {
          const stretch = slice(slice(from, 0, b, b + 1), 2, t, t + count);
          write(slice(to, 0, page, page + 1), 2, within, stretch);
        }
        t += count;
      }
    });
  };
  const read = (layer: number) => {
    const own = state.lengths[layer]!;
    const columns = Math.ceil(Math.max(0, ...own) / pageLength);
    const table = Int32Array.from(
      state.tables.flatMap((pages) => Array.from({ length: columns }, (_, c) => pages[c] ?? -1)),
    );
    const length = allEqual(own) ? own[0]! : Int32Array.from(own);
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
    const kept = state.lengths.map((own) => ids.map((id) => own[id]!));
    release();
    state.tables = tables;
    state.lengths = kept;
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
      const own = pool.layers[layer] && { ...pool.layers[layer], ...givenType(layout) };
      const held = { ...own, ...(batches() > 0 && { batches: B }) };
      checkUpdate(layer, numLayers, key, value, Object.keys(held).length > 0 ? held : undefined);
      const T = key.shape[2]!;
      const empty = batches() === 0;
      const tables = empty ? Array.from({ length: B }, (): number[] => []) : state.tables;
      const starts = empty ? new Array<number>(B).fill(0) : state.lengths[layer]!;
      const copies = planPages(tables, starts, T);
      const rows = layout.views(layout.rows(key, value));
      pool.ensureBuffers(layer, rows.key, rows.value);
      // From here on nothing is refused.
      if (empty) state.lengths = state.lengths.map(() => new Array<number>(B).fill(0));
      state.tables = tables;
      for (const { b, column } of copies) {
        const old = tables[b]![column]!;
        const own = pool.allocate();
        pool.copy(old, own);
        pool.release(old);
        tables[b]![column] = own;
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
      const kept = croppedLengths(length, lengths());
      state.lengths = state.lengths.map(() => [...kept]);
      state.tables.forEach((table, b) => {
        while ((table.length - 1) * pageLength >= kept[b]!) pool.release(table.pop()!);
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
        state.lengths.map((own, layer) => {
          if (own.length === 0 || !pool.layers[layer]) return undefined;
          const { key, value } = read(layer);
          const tensors = {
            key: denseSegment(key[0]!, own.length),
            value: denseSegment(value[0]!, own.length),
          };
          return { tensors, numbers: { lengths: own } };
        }),
      ),
    restore(bytes, device) {
      const held = pool.layers.find((layer) => layer)?.key.device;
      const saved = readSaved(form, bytes, numLayers, device ?? held);
      const type = layout.dtype && { dtype: layout.dtype };
      saved.forEach((layer, i) => layer && checkSaved(layer, { ...everyTokenRule(pool.layers[i]), ...type }));
      const rows = saved.map((layer) => layer?.numbers["lengths"] ?? []);
      const B = Math.max(0, ...rows.map((own) => own.length));
      const counts = Array.from({ length: B }, (_, b) =>
        Math.ceil(Math.max(...rows.map((own) => own[b] ?? 0)) / pageLength),
      );
      const needed = counts.reduce((a, b) => a + b, 0);
      // Pages without other owners are freed before the new ones are allocated.
      const own = new Set(state.tables.flat());
      const back = [...own].filter((page) => pool.refCount(page) === ownReferences(state, page)).length;
      if (needed > pool.available + back) outOfPages(needed);
      release();
      state.lengths = rows.map((own) => (own.length === B ? [...own] : new Array<number>(B).fill(0)));
      state.tables = counts.map((count) => Array.from({ length: count }, () => pool.allocate()));
      saved.forEach((layer, i) => {
        if (!layer) return;
        const { key, value } = layer.tensors as { key: Tensor; value: Tensor };
        pool.ensureBuffers(i, key, value);
        writeRows(i, key, value, new Array<number>(B).fill(0));
      });
    },
  };
}

/** The same tokens, held by one more. */
export function forkState({ pool, tables, lengths }: PagedState): PagedState {
  for (const page of tables.flat()) pool.retain(page);
  return { pool, tables: tables.map((own) => [...own]), lengths: lengths.map((own) => [...own]) };
}

/** A cache's state before its first token. */
export function emptyState(pool: PagePool): PagedState {
  return { pool, tables: [], lengths: Array.from({ length: pool.numLayers }, () => []) };
}

function ownReferences({ tables }: PagedState, page: number): number {
  return tables.flat().filter((own) => own === page).length;
}
