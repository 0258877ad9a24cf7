import { checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { isCache, croppedLengths } from "./check-change.js";
import { readSaved, refuseSaved, writeSaved } from "./saved.js";

/**
 * A cache for hybrid models, in which each layer has its own kind of cache: for example full attention in some layers and a
 * sliding window in others.
 *
 * @param layers - The cache of each layer. A cache with n layers is listed n times; its layers are assigned in order. The
 *   caches must not be used directly afterwards.
 * @throws {ArgumentError} If the list is empty, a cache is listed more or less often than it has layers, or only some of the
 *   caches hold unrotated keys. If one of the caches refuses a change, the error leaves all of them unchanged.
 * @see "Gemma 2" (2024), arXiv:2408.00118, section 2
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { growingCache, mixedCache, rollingCache } from "@qkv/kv-cache";
 *
 * const full = growingCache({ numLayers: 2 });
 * const local = rollingCache({ windowSize: 4, numLayers: 2 });
 * const cache = mixedCache([full, local, full, local]);
 * const x = randn([1, 1, 10, 2], { seed: 1 }); // [B, Hkv, T, D]
 * for (const layer of [0, 1, 2, 3]) cache.update(layer, x, x);
 * [cache.length, full.stored, local.stored]; // => [10, 10, 4]
 * ```
 */
export function mixedCache(layers: readonly KvCache[]): KvCache {
  return mixture("mixedCache", layers);
}

/** {@link mixedCache} for the public function `fn`, which errors name. */
export function mixture(fn: string, layers: readonly KvCache[]): KvCache {
  const check = checks(fn, { argument: "layers" });
  const other = Array.isArray(layers) ? layers.findIndex((cache) => !isCache(cache)) : -1;
  if (!Array.isArray(layers) || other >= 0) {
    check.refuse({
      received: other < 0 ? layers : layers[other],
      expected: "a list of caches, one for each layer",
      fix: "write `mixedCache([growingCache(), rollingCache({ windowSize: 256 })])`.",
    });
  }
  // Caches without keys can be combined with rotated and with unrotated keys.
  const unrotatedKeys = layers.find((cache) => cache.unrotatedKeys !== undefined)?.unrotatedKeys;
  const unlike = layers.findIndex((cache) => (cache.unrotatedKeys ?? unrotatedKeys) !== unrotatedKeys);
  if (layers.length === 0 || unlike >= 0) {
    check.refuse({
      received:
        layers.length === 0
          ? "an empty list"
          : `layer ${unlike}, whose \`unrotatedKeys\` differs from the others`,
      expected: "a cache for each layer, all with unrotated keys or none",
      fix: "make all of them alike in `unrotatedKeys`.",
    });
  }
  const caches = [...new Set(layers)];
  for (const cache of caches) {
    const listed = layers.filter((other) => other === cache).length;
    if (cache.numLayers === listed) continue;
    check.refuse({
      received: `a cache of ${cache.numLayers} layers, listed ${listed} times`,
      expected: "each cache as often as it has layers",
      fix: `make it with \`numLayers: ${listed}\`, or list it for each of its layers.`,
    });
  }
  const cacheIndex = layers.map((cache) => caches.indexOf(cache));
  const layerIndex = cacheIndex.map(
    (index, layer) => cacheIndex.slice(0, layer).filter((other) => other === index).length,
  );
  return mixed(caches, cacheIndex, layerIndex);
}

/** Layer i of the result is layer `layerIndex[i]` of the cache `caches[cacheIndex[i]]`. */
function mixed(
  caches: readonly KvCache[],
  cacheIndex: readonly number[],
  layerIndex: readonly number[],
): KvCache {
  const lengths = () => {
    const cacheLengths = caches.map(({ lengths }) => lengths);
    const B = Math.max(...cacheLengths.map(({ length }) => length));
    return Int32Array.from({ length: B }, (_, b) =>
      Math.min(...cacheLengths.map((lengths) => lengths[b] ?? 0)),
    );
  };
  const filled = () => caches.filter(({ lengths }) => lengths.length > 0);
  const changeFilled = (change: (cache: KvCache) => void): void => {
    for (const cache of filled()) change(cache);
  };
  /** Applies a change to forks first, then to the caches: if one of them refuses it, none is changed. */
  const changeAllOrNone = (change: (cache: KvCache, i: number) => void): void => {
    const forks = caches.map((cache) => cache.fork());
    try {
      forks.forEach(change);
    } finally {
      for (const fork of forks) fork.reset();
    }
    caches.forEach(change);
  };
  const cacheOfLayer = (fn: string, layer: number): KvCache => {
    const cache = Number.isInteger(layer) && caches[cacheIndex[layer] ?? -1];
    if (cache) return cache;
    return checks(fn).refuse({
      argument: "layer",
      received: layer,
      expected: `a layer from 0 to ${cacheIndex.length - 1}`,
      fix: "make the mixture with a cache for each layer of the model.",
    });
  };
  const { unrotatedKeys } = caches.find((cache) => cache.unrotatedKeys !== undefined) ?? {};
  return {
    ...(unrotatedKeys !== undefined && { unrotatedKeys }),
    numLayers: cacheIndex.length,
    update: (layer, key, value, query) =>
      cacheOfLayer("update", layer).update(layerIndex[layer]!, key, value, query),
    read: (layer) => cacheOfLayer("read", layer).read(layerIndex[layer]!),
    state: (layer) => cacheOfLayer("state", layer).state(layerIndex[layer]!),
    advance: (layer, state, tokens) =>
      cacheOfLayer("advance", layer).advance(layerIndex[layer]!, state, tokens),
    get length() {
      return lengths().reduce((a, b) => Math.max(a, b), 0);
    },
    get lengths() {
      return lengths();
    },
    get stored() {
      return Math.max(...caches.map(({ stored }) => stored));
    },
    get bytes() {
      return caches.reduce((sum, { bytes }) => sum + bytes, 0);
    },
    crop(length) {
      const newLengths = croppedLengths(length, lengths());
      changeAllOrNone((cache) => {
        if (cache.lengths.length > 0) cache.crop(newLengths);
      });
    },
    discard(start, end) {
      changeAllOrNone((cache) => cache.discard(start, end));
    },
    fork: () =>
      mixed(
        caches.map((cache) => cache.fork()),
        cacheIndex,
        layerIndex,
      ),
    reorder(ids) {
      changeFilled((cache) => cache.reorder(ids));
    },
    repeat(times) {
      changeFilled((cache) => cache.repeat(times));
    },
    reset() {
      for (const cache of caches) cache.reset();
    },
    save: () =>
      writeSaved(
        mixedFormat(cacheIndex),
        caches.map((cache) => ({ tensors: { file: tensor(cache.save()) }, numbers: {} })),
      ),
    restore(bytes, device) {
      const saved = readSaved(mixedFormat(cacheIndex), bytes, caches.length, undefined);
      changeAllOrNone((cache, i) => {
        const file = saved[i]?.tensors["file"];
        if (file?.dtype !== "uint8")
          refuseSaved(
            `${i}.file`,
            file?.dtype,
            "the saved file of one cache, in uint8",
            "restore another copy.",
          );
        cache.restore(file.data as Uint8Array, device);
      });
    },
  };
}

const mixedFormat = (cacheIndex: readonly number[]) => `mixed ${cacheIndex.join()}`;
