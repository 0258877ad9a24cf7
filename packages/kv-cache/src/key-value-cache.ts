import { segmentLength, type KeyValues } from "@qkv/attention-contract";
import type { KvCache } from "./cache.js";
import { checkRead } from "./check-change.js";
import { checkUpdate } from "./check-update.js";
import type { KeyValueStore } from "./layer-store.js";
import { layeredCache } from "./layered-cache.js";
import { refuseStates } from "./other-methods.js";
import { positionsInCache } from "./positions.js";

/** A cache of keys and values with one store per layer. Files of rotated and of unrotated keys are not interchangeable. */
export function keyValueCache(
  stores: KeyValueStore[],
  { form, unrotatedKeys }: { readonly form: string; readonly unrotatedKeys: boolean },
): KvCache {
  const withPositions = (read: KeyValues): KeyValues => {
    if (!unrotatedKeys) return read;
    const keys = read.key.reduce((sum, part) => sum + segmentLength(part), 0);
    return { ...read, positions: positionsInCache(read.positions, keys) };
  };
  return layeredCache(stores, {
    form: unrotatedKeys ? `${form}, unrotated keys` : form,
    unrotatedKeys,
    methods: (stores) => ({
      ...refuseStates,
      update(layer, key, value, query) {
        const store = stores[layer];
        checkUpdate(layer, stores.length, key, value, store?.current);
        return withPositions(store!.append(key, value, query));
      },
      read(layer) {
        const filledStore = stores[layer]?.current && stores[layer];
        return withPositions(checkRead("read", layer, stores.length, filledStore).read());
      },
    }),
  });
}
