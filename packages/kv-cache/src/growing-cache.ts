import { checks } from "@qkv/core";
import type { HalfType } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { checkCacheOptions, checkHalfType } from "./check-change.js";
import { contiguousStore, doubling } from "./contiguous-store.js";
import { keyValueCache } from "./key-value-cache.js";
import { storageFormat, layoutWithType } from "./row-layout.js";

export type GrowingOptions = {
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Stores keys before the rotary embedding (pre-RoPE); attention rotates them on read. Default false. */
  unrotatedKeys?: boolean;
  /** Stores keys and values in 16 bits, half the memory, each number rounded to the nearest. Default: as they are given. */
  dtype?: HalfType;
};

/**
 * A cache that holds every token and grows as needed. An update copies only the new tokens, except when a buffer is full: it
 * is then replaced by one of twice the size, and all tokens are copied.
 *
 * Keys are stored as given, after the rotary embedding unless `unrotatedKeys` is set. `update` returns views of the buffers:
 * attention reads them in place, and they stay valid until the cache is cropped and written to again.
 *
 * @throws {ArgumentError} If `numLayers` is not an integer of at least 1, or `dtype` is not one of 16 bits, or is given
 *   with `unrotatedKeys`.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { growingCache } from "@qkv/kv-cache";
 *
 * const cache = growingCache();
 * const x = randn([1, 2, 3, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * cache.update(0, x, x).positions; // => { start: 0 }
 * cache.length; // => 6
 * cache.crop(4);
 * cache.length; // => 4
 * ```
 */
export function growingCache(options?: GrowingOptions): KvCache {
  const names = ["numLayers", "unrotatedKeys", "dtype"] as const;
  const { numLayers = 1, unrotatedKeys = false, dtype } = checks("growingCache").options(options, names);
  checkCacheOptions("growingCache", numLayers, unrotatedKeys);
  checkHalfType("growingCache", dtype, unrotatedKeys);
  const stores = Array.from({ length: numLayers }, () => contiguousStore(doubling, layoutWithType(dtype)));
  return keyValueCache(stores, { form: storageFormat("every token", dtype), unrotatedKeys });
}
