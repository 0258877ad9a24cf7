import type { KvCache } from "./cache.js";
/**
 * A cache whose layers are kept differently, as hybrid models need: full attention in some layers, a window in others.
 *
 * @param layers - The cache of each layer. One that comes several times takes one of its own layers after the other, so
 *   make it with so many. They belong to the mixture from then on.
 * @throws {ArgumentError} If the list is empty, or some of the caches are positionless and some not; and from any change
 *   that one of them refuses, which then is made by none.
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
export declare function mixedCache(layers: readonly KvCache[]): KvCache;
