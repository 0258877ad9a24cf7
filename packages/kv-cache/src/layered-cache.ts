import { checks } from "@qkv/core";
import type { KvCache } from "./cache.js";
import { checkBatchIds, checkTokenRange, croppedLengths, repeatedBatchIds } from "./check-change.js";
import type { Copied, LayerStore } from "./layer-store.js";
import { readSaved, writeSaved } from "./saved.js";

/** Methods of a cache that read or write one layer: two for keys and values, two for states. */
export type LayerMethods = Pick<KvCache, "update" | "read" | "state" | "advance">;

/** Options of a cache over layer stores. */
export type LayeredOptions<S> = {
  /** Name of the storage format in saved files. Only a cache with the same name restores a file. */
  readonly form: string;
  /** Absent in caches without keys. */
  readonly unrotatedKeys?: boolean;
  readonly methods: (stores: readonly S[]) => LayerMethods;
};

/** A cache with one store per layer. */
export function layeredCache<S extends LayerStore & Copied<S>>(
  stores: S[],
  options: LayeredOptions<S>,
): KvCache {
  const { form, unrotatedKeys } = options;
  const filled = () => stores.filter(({ lengths }) => lengths.length > 0);
  // A sequence is as long as in the layer that has seen the fewest tokens: 0 while a layer is empty.
  const lengths = (): number[] => {
    const written = filled();
    const batchSize = written[0]?.lengths.length ?? 0;
    if (written.length < stores.length) return new Array<number>(batchSize).fill(0);
    return Array.from({ length: batchSize }, (_, b) =>
      Math.min(...written.map(({ lengths }) => lengths[b]!)),
    );
  };
  const selectBatches = (ids: readonly number[]) => {
    for (const store of filled()) store.selectBatches(ids);
  };
  return {
    ...(unrotatedKeys !== undefined && { unrotatedKeys }),
    numLayers: stores.length,
    ...options.methods(stores),
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
      const newLengths = croppedLengths(length, lengths());
      for (const store of filled()) store.checkCrop(newLengths);
      for (const store of filled()) store.crop(newLengths);
    },
    discard(start, end) {
      if (!unrotatedKeys || stores.some((store) => !store.discard)) {
        checks("discard").refuse({
          argument: "cache",
          received: unrotatedKeys === false ? "one whose keys are stored rotated" : form,
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
        form,
        stores.map((store) => store.save()),
      ),
    restore(bytes, device) {
      const saved = readSaved(form, bytes, stores.length, device ?? filled()[0]?.device);
      // All layers are read before the first is replaced, so an error changes nothing.
      const restored = saved.map((layer, i) => layer && stores[i]!.fromSaved(layer));
      restored.forEach((store, i) => {
        stores[i]!.clear();
        if (store) stores[i] = store;
      });
    },
  };
}
