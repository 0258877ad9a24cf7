import { checks } from "@qkv/core";
import { type KeyValues, segmentLength } from "@qkv/attention-contract";
import type { KvCache } from "./cache.js";
import { checkIds, checkRead, checkStretch, keptLengths, repeatedIds } from "./check-change.js";
import { checkUpdate } from "./check-update.js";
import type { LayerStore } from "./layer-store.js";
import { placesInCache } from "./positions.js";
import { readSaved, writeSaved } from "./saved.js";

/** What makes a cache of stores, besides them. */
export type LayeredOptions = {
  /** How the layers hold their tokens: caches of one form restore each other's files. */
  readonly form: string;
  readonly positionless: boolean;
};

/** A cache whose layers each hold their own tokens. */
export function layeredCache(stores: LayerStore[], options: LayeredOptions): KvCache {
  const { form, positionless } = options;
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
  const takeBatches = (ids: readonly number[]) => {
    for (const store of filled()) store.take(ids);
  };
  const placed = (read: KeyValues): KeyValues => {
    if (!positionless) return read;
    const keys = read.key.reduce((sum, part) => sum + segmentLength(part), 0);
    return { ...read, positions: placesInCache(read.positions, keys) };
  };
  return {
    positionless,
    numLayers: stores.length,
    update(layer, key, value) {
      const store = stores[layer];
      checkUpdate(layer, stores.length, key, value, store?.held);
      return placed(store!.append(key, value));
    },
    read(layer) {
      return placed(checkRead(layer, stores.length, stores[layer]?.held && stores[layer]).read());
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
      const kept = keptLengths(length, lengths());
      for (const store of filled()) store.checkCrop(kept);
      for (const store of filled()) store.crop(kept);
    },
    discard(start, end) {
      if (!positionless || stores.some((store) => !store.discard)) {
        checks("discard").refuse({
          argument: "cache",
          received: positionless ? form : "one whose keys are stored after their rotary turn",
          expected: "a positionless cache that holds every token",
          fix: "make it with `growingCache({ positionless: true })` or `staticCache({ positionless: true, … })`.",
        });
      }
      checkStretch(start, end, lengths());
      for (const store of filled()) store.discard!(start, end);
    },
    fork: () =>
      layeredCache(
        stores.map((store) => store.fork()),
        options,
      ),
    reorder(ids) {
      checkIds(ids, lengths().length);
      takeBatches(ids);
    },
    repeat(times) {
      takeBatches(repeatedIds(times, lengths().length));
    },
    reset() {
      for (const store of stores) store.clear();
    },
    save: () =>
      writeSaved(
        savedForm(form, positionless),
        stores.map((store) => store.save()),
      ),
    restore(bytes) {
      const device = filled()[0]?.held?.key?.device;
      const saved = readSaved(savedForm(form, positionless), bytes, stores.length, device);
      // All of them, or none.
      const restored = saved.map((layer, i) => layer && stores[i]!.restored(layer));
      restored.forEach((store, i) => {
        stores[i]!.clear();
        if (store) stores[i] = store;
      });
    },
  };
}

/** Keys with and without their turn are not the same keys. */
export function savedForm(form: string, positionless: boolean): string {
  return positionless ? `${form}, positionless` : form;
}
