import { checks } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { isCache, croppedLengths } from "./check-change.js";
import { readSaved, refuseSaved, writeSaved } from "./saved.js";

/**
 * A cache whose layers are kept differently, as hybrid models need: full attention in some layers, a window in others.
 *
 * @param layers - The cache of each layer. One that comes several times takes one of its own layers after the other, so
 *   make it with so many. They belong to the mixture from then on.
 * @throws {ArgumentError} If the list is empty, a cache has more or fewer layers than it is listed for, or some of the
 *   caches hold unrotated keys and some do not; and from any change that one of them refuses, which then is made by none.
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

/** A mixture, made by the function `fn`. */
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
  // Caches without keys go with both.
  const unrotatedKeys = layers.find((cache) => cache.unrotatedKeys !== undefined)?.unrotatedKeys;
  const unlike = layers.findIndex((cache) => (cache.unrotatedKeys ?? unrotatedKeys) !== unrotatedKeys);
  if (layers.length === 0 || unlike >= 0) {
    check.refuse({
      received: layers.length === 0 ? "an empty list" : `layer ${unlike}, which counts positions otherwise`,
      expected: "a cache for each layer, all with unrotated keys or none",
      fix: "make all of them alike in `unrotatedKeys`.",
    });
  }
  const caches = [...new Set(layers)];
  for (const cache of caches) {
    const listed = layers.filter((each) => each === cache).length;
    if (cache.numLayers === listed) continue;
    check.refuse({
      received: `a cache of ${cache.numLayers} layers, listed ${listed} times`,
      expected: "each cache as often as it has layers",
      fix: `make it with \`numLayers: ${listed}\`, or list it for each of its layers.`,
    });
  }
  const owner = layers.map((cache) => caches.indexOf(cache));
  const own = owner.map((cache, i) => owner.slice(0, i).filter((other) => other === cache).length);
  return mixed(caches, owner, own);
}

/** `owner`: which cache a layer belongs to. `own`: which of that cache's layers it is. */
function mixed(caches: readonly KvCache[], owner: readonly number[], own: readonly number[]): KvCache {
  const lengths = () => {
    const all = caches.map(({ lengths }) => lengths);
    const B = Math.max(...all.map(({ length }) => length));
    return Int32Array.from({ length: B }, (_, b) => Math.min(...all.map((each) => each[b] ?? 0)));
  };
  const filled = () => caches.filter(({ lengths }) => lengths.length > 0);
  const every = (change: (cache: KvCache) => void): void => {
    for (const cache of filled()) change(cache);
  };
  /** Makes a change that some cache may refuse: on forks first, so that all make it or none. */
  const onForksFirst = (change: (cache: KvCache, i: number) => void): void => {
    const tried = caches.map((cache) => cache.fork());
    try {
      tried.forEach(change);
    } finally {
      for (const cache of tried) cache.reset();
    }
    caches.forEach(change);
  };
  const at = (fn: string, layer: number): KvCache => {
    const cache = Number.isInteger(layer) && caches[owner[layer] ?? -1];
    if (cache) return cache;
    return checks(fn).refuse({
      argument: "layer",
      received: layer,
      expected: `a layer from 0 to ${owner.length - 1}`,
      fix: "make the mixture with a cache for each layer of the model.",
    });
  };
  const { unrotatedKeys } = caches.find((cache) => cache.unrotatedKeys !== undefined) ?? {};
  return {
    ...(unrotatedKeys !== undefined && { unrotatedKeys }),
    numLayers: owner.length,
    update: (layer, key, value, query) => at("update", layer).update(own[layer]!, key, value, query),
    read: (layer) => at("read", layer).read(own[layer]!),
    state: (layer) => at("state", layer).state(own[layer]!),
    advance: (layer, state, tokens) => at("advance", layer).advance(own[layer]!, state, tokens),
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
      const kept = croppedLengths(length, lengths());
      onForksFirst((cache) => {
        if (cache.lengths.length > 0) cache.crop(kept);
      });
    },
    discard(start, end) {
      onForksFirst((cache) => cache.discard(start, end));
    },
    fork: () =>
      mixed(
        caches.map((cache) => cache.fork()),
        owner,
        own,
      ),
    reorder(ids) {
      every((cache) => cache.reorder(ids));
    },
    repeat(times) {
      every((cache) => cache.repeat(times));
    },
    reset() {
      for (const cache of caches) cache.reset();
    },
    save: () =>
      writeSaved(
        mixedForm(owner),
        caches.map((cache) => ({ tensors: { file: tensor(cache.save()) }, numbers: {} })),
      ),
    restore(bytes, device) {
      const saved = readSaved(mixedForm(owner), bytes, caches.length, undefined);
      onForksFirst((cache, i) => {
        const file = saved[i]?.tensors["file"];
        if (file?.dtype !== "uint8")
          refuseSaved(`${i}.file`, file?.dtype, "the bytes of a cache of its own", "restore another copy.");
        cache.restore(file.data as Uint8Array, device);
      });
    },
  };
}

const mixedForm = (owner: readonly number[]) => `mixed ${owner.join()}`;
