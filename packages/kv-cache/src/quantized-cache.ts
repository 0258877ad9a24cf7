import { checks } from "@qkv/core";
import type { KvCache } from "./cache.js";
import { checkCacheOptions } from "./check-change.js";
import { keyValueCache } from "./key-value-cache.js";
import { quantizedStore } from "./quantized-store.js";

export type QuantizedOptions = {
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Tokens that become whole numbers together, and share the scales of their keys. Default 32. */
  groupSize?: number;
  /** The last tokens, at least so many, stay floats. Default 32. */
  residualLength?: number;
  /** Stores keys before the rotary embedding (pre-RoPE); attention rotates them on read. Default false. */
  unrotatedKeys?: boolean;
};

/**
 * A cache that holds every token, the old ones as int8: keys with a scale for each number of a head over a group of
 * tokens, since some of those numbers are always large, and values with a scale for each token. About a quarter of the
 * bytes of float32; each number is at most half its scale off.
 *
 * Attention reads the whole numbers in place. A token becomes whole numbers once; only `crop` into a group makes floats
 * of it again.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @see "KIVI" (2024), arXiv:2402.02750
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { growingCache, quantizedCache } from "@qkv/kv-cache";
 *
 * const x = randn([1, 4, 2048, 64], { seed: 1 }); // [B, Hkv, T, D]
 * const [exact, small] = [growingCache(), quantizedCache()];
 * for (const cache of [exact, small]) cache.update(0, x, x);
 * small.bytes < 0.35 * exact.bytes; // => true
 * ```
 */
export function quantizedCache(options?: QuantizedOptions): KvCache {
  const check = checks("quantizedCache");
  const {
    numLayers = 1,
    groupSize = 32,
    residualLength = 32,
    unrotatedKeys = false,
  } = check.options(options, ["numLayers", "groupSize", "residualLength", "unrotatedKeys"]);
  checkCacheOptions("quantizedCache", numLayers, unrotatedKeys);
  const fix = "32 is a good size for both.";
  check.whole({ groupSize }, { min: 1, unit: "tokens", fix });
  check.whole({ residualLength }, { min: 0, unit: "tokens", fix });
  const sizes = { group: groupSize, residual: residualLength };
  const stores = Array.from({ length: numLayers }, () => quantizedStore(sizes));
  return keyValueCache(stores, {
    form: `int8 in groups of ${groupSize}, ${residualLength} floats`,
    unrotatedKeys,
  });
}
