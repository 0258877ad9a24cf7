import { checks } from "@qkv/core";
import type { KvCache } from "./cache.js";
import { checkCacheOptions } from "./check-change.js";
import { keyValueCache } from "./key-value-cache.js";
import { quantizedStore } from "./quantized-store.js";

export type QuantizedOptions = {
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Number of tokens that are quantized together; their keys share one scale per channel. Default 32. */
  groupSize?: number;
  /** Least number of last tokens that are stored as floats. Default 32. */
  residualLength?: number;
  /** Stores keys before the rotary embedding (pre-RoPE); attention rotates them on read. Default false. */
  unrotatedKeys?: boolean;
};

/**
 * A cache that holds every token, and quantizes the older ones to int8. Keys have one scale per channel and group of tokens,
 * since a few channels have large values in all tokens; values have one scale per token. This takes about a quarter of the
 * bytes of float32. The error of each number is at most half its scale.
 *
 * Attention reads the int8 codes in place. A token is quantized once, unless `crop` cuts its group: the remaining tokens of
 * the group are then dequantized, and quantized again when the group is full.
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
