/// <reference types="node" />
import { checks } from "@qkv/core";
import { statSync } from "node:fs";
import type { KvCache } from "./cache.js";
import { checkCacheOptions } from "./check-change.js";
import { keyValueCache } from "./key-value-cache.js";
import { residentLayers, offloadedStore } from "./offloaded-store.js";

export type OffloadedOptions = {
  /** An existing folder for the files. `reset` deletes them. */
  folder: string;
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Number of layers in memory at once, the most recently used ones. Default 1. */
  layersInMemory?: number;
};

/**
 * A cache that stores every token on disk, in one file per layer, and holds only the most recently used layers in memory: for
 * contexts that do not fit in memory, in Node. An update writes only the new tokens; a layer that returns to memory is read
 * completely.
 *
 * `bytes` counts the memory, not the files. `reset` deletes the files: call it on the cache and on each fork when they are no
 * longer used.
 *
 * @throws {ArgumentError} If the folder does not exist, or a number is not an integer of at least 1.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { growingCache } from "@qkv/kv-cache";
 * import { offloadedCache } from "@qkv/kv-cache/offload";
 *
 * const x = randn([1, 2, 100, 8], { seed: 1 }); // [B, Hkv, T, D]
 * const caches = [growingCache({ numLayers: 4 }), offloadedCache({ folder: ".", numLayers: 4 })];
 * for (const cache of caches) for (let layer = 0; layer < 4; layer++) cache.update(layer, x, x);
 * caches.map(({ bytes }) => bytes); // => [51200, 12800]
 * caches[1]?.reset();
 * ```
 */
export function offloadedCache(options: OffloadedOptions): KvCache {
  const check = checks("offloadedCache");
  const {
    folder,
    numLayers = 1,
    layersInMemory = 1,
  } = check.options(options, ["folder", "numLayers", "layersInMemory"]);
  checkCacheOptions("offloadedCache", numLayers);
  const fix = "1 holds the layer that is updated; numLayers holds all.";
  check.whole({ layersInMemory }, { min: 1, unit: "layers", fix });
  check.each(
    { folder },
    (path) =>
      typeof path === "string" &&
      !path.includes("\0") &&
      statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    "an existing folder",
    'make it first, for example with `mkdtempSync(join(tmpdir(), "cache-"))`.',
  );
  const memory = residentLayers(layersInMemory);
  const stores = Array.from({ length: numLayers }, () => offloadedStore(folder, memory));
  return keyValueCache(stores, { form: "every token", unrotatedKeys: false });
}
