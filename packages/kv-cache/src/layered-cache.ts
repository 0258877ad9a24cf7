import { checks } from "@qkv/core";
import type { KvCache } from "./cache.js";
import { checkBatchIds, checkTokenRange, croppedLengths, repeatedBatchIds } from "./check-change.js";
import type { Copied, LayerStore } from "./layer-store.js";
import { readSaved, writeSaved } from "./saved.js";

/** The methods by which layers append and read: those of keys and values, and those of states. */
export type LayerMethods = Pick<KvCache, "update" | "read" | "state" | "advance">;

/** Options of a cache over layer stores. */
export type LayeredOptions<S> = {
  /** Name of the storage format: caches of one form restore each other's files. */
  readonly form: string;
  /** Absent where no keys are held. */
  readonly unrotatedKeys?: boolean;
  readonly methods: (stores: readonly S[]) => LayerMethods;
};

/** A cache whose layers each hold their own tokens. */
export function layeredCache<S extends LayerStore & Copied<S>>(
  stores: S[],
  options: LayeredOptions<S>,
): KvCache {
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
      const kept = croppedLengths(length, lengths());
      for (const store of filled()) store.checkCrop(kept);
      for (const store of filled()) store.crop(kept);
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
      // All of them, or none.
      const restored = saved.map((layer, i) => layer && stores[i]!.fromSaved(layer));
      restored.forEach((store, i) => {
        stores[i]!.clear();
        if (store) stores[i] = store;
      });
    },
  };
}
