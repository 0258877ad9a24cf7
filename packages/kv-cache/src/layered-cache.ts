import { checks } from "@qkv/core";
import { type KeyValues, segmentLength } from "@qkv/attention-contract";
import type { KvCache } from "./cache.js";
import {
  checkBatchIds,
  checkRead,
  checkTokenRange,
  croppedLengths,
  repeatedBatchIds,
} from "./check-change.js";
import { checkUpdate } from "./check-update.js";
import type { LayerStore } from "./layer-store.js";
import { positionsInCache } from "./positions.js";
import { readSaved, writeSaved } from "./saved.js";

/** Options of a cache over layer stores. */
export type LayeredOptions = {
  /** Name of the storage format: caches of one form restore each other's files. */
  readonly form: string;
  readonly unrotatedKeys: boolean;
};

/** A cache whose layers each hold their own tokens. */
export function layeredCache(stores: LayerStore[], options: LayeredOptions): KvCache {
  const { form, unrotatedKeys } = options;
  const filled = () => stores.filter(({ lengths }) => lengths.length > 0);
  // A layer that has not been written to has seen nothing.
  const lengths = (): number[] => {
    const own = filled();
    const batches = own[0]?.lengths.length ?? 0;
    const all = own.length === stores.length;
    return Array.from({ length: batches }, (_, b) =>
      all ? Math.min(...own.map(({ lengths }) => lengths[b]!)) : 0,
    );
  };
  const selectBatches = (ids: readonly number[]) => {
    for (const store of filled()) store.selectBatches(ids);
  };
  const withPositions = (read: KeyValues): KeyValues => {
    if (!unrotatedKeys) return read;
    const keys = read.key.reduce((sum, part) => sum + segmentLength(part), 0);
    return { ...read, positions: positionsInCache(read.positions, keys) };
  };
  return {
    unrotatedKeys,
    numLayers: stores.length,
    update(layer, key, value) {
      const store = stores[layer];
      checkUpdate(layer, stores.length, key, value, store?.current);
      return withPositions(store!.append(key, value));
    },
    read(layer) {
      return withPositions(checkRead(layer, stores.length, stores[layer]?.current && stores[layer]).read());
    },
    get length() {
      return Math.max(0, ...lengths());
    },
    get lengths() {
      return Int32Array.from(lengths());
    },
    get stored() {
      return stores.reduce((most, { stored }) => Math.max(most, stored), 0);
    },
    get bytes() {
      return stores.reduce((sum, { bytes }) => sum + bytes, 0);
    },
    crop(length) {
      const kept = croppedLengths(length, lengths());
      for (const store of filled()) store.checkCrop(kept);
      for (const store of filled()) store.crop(kept);
    },
    discard(start, end) {
      if (!unrotatedKeys || stores.some((store) => !store.discard)) {
        checks("discard").refuse({
          argument: "cache",
          received: unrotatedKeys ? form : "one whose keys are stored rotated",
          expected: "a cache of unrotated keys that holds every token",
          fix: "make it with `growingCache({ unrotatedKeys: true })` or `staticCache({ unrotatedKeys: true, … })`.",
        });
      }
      checkTokenRange(start, end, lengths());
      for (const store of filled()) store.discard!(start, end);
    },
    fork: () =>
      layeredCache(
        stores.map((store) => store.fork()),
        options,
      ),
    reorder(ids) {
      checkBatchIds(ids, lengths().length);
      selectBatches(ids);
    },
    repeat(times) {
      selectBatches(repeatedBatchIds(times, lengths().length));
    },
    reset() {
      for (const store of stores) store.clear();
    },
    save: () =>
      writeSaved(
        savedForm(form, unrotatedKeys),
        stores.map((store) => store.save()),
      ),
    restore(bytes) {
      const device = filled()[0]?.current?.key?.device;
      const saved = readSaved(savedForm(form, unrotatedKeys), bytes, stores.length, device);
      // All of them, or none.
      const restored = saved.map((layer, i) => layer && stores[i]!.fromSaved(layer));
      restored.forEach((store, i) => {
        stores[i]!.clear();
        if (store) stores[i] = store;
      });
    },
  };
}

/** Rotated and unrotated keys do not restore each other's files. */
export function savedForm(form: string, unrotatedKeys: boolean): string {
  return unrotatedKeys ? `${form}, unrotated keys` : form;
}
