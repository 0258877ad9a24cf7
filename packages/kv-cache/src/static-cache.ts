import { checks } from "@qkv/core";
import type { HalfType } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { checkCacheOptions, checkHalfType } from "./check-change.js";
import { contiguousStore } from "./contiguous-store.js";
import { keyValueCache } from "./key-value-cache.js";
import { storageFormat, layoutWithType } from "./row-layout.js";

export type StaticOptions = {
  /** Largest number of tokens per sequence. */
  maxLength: number;
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Stores keys before the rotary embedding (pre-RoPE); attention rotates them on read. Default false. */
  unrotatedKeys?: boolean;
  /** Stores keys and values in 16 bits, half the memory, each number rounded to the nearest. Default: as they are given. */
  dtype?: HalfType;
};

/**
 * A cache for at most `maxLength` tokens. The first update of a layer allocates its buffers at full size, so the memory is
 * known in advance, and later updates copy only the new tokens.
 *
 * @throws {ArgumentError} If an option is not an integer of at least 1; and from `update`, which then changes
 *   nothing, when tokens do not fit.
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { staticCache } from "@qkv/kv-cache";
 *
 * const cache = staticCache({ maxLength: 100 });
 * const x = randn([1, 2, 3, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * cache.bytes; // => 12800
 * cache.update(0, x, x);
 * cache.bytes; // => 12800
 * ```
 */
export function staticCache(options: StaticOptions): KvCache {
  const check = checks("staticCache");
  const {
    maxLength,
    numLayers = 1,
    unrotatedKeys = false,
    dtype,
  } = check.options(options, ["maxLength", "numLayers", "unrotatedKeys", "dtype"]);
  checkCacheOptions("staticCache", numLayers, unrotatedKeys);
  checkHalfType("staticCache", dtype, unrotatedKeys);
  const fix = "give the length of the model's context.";
  check.whole({ maxLength }, { min: 1, unit: "tokens", fix });
  const fixedCapacity = (needed: number) => {
    if (needed <= maxLength) return maxLength;
    return checks("update").refuse({
      argument: "key",
      received: `tokens up to place ${needed}`,
      expected: `at most maxLength = ${maxLength} tokens in all`,
      fix: "make the cache with more room, crop it, or use a rollingCache, which evicts.",
    });
  };
  const stores = Array.from({ length: numLayers }, () =>
    contiguousStore(fixedCapacity, layoutWithType(dtype)),
  );
  return keyValueCache(stores, { form: storageFormat("every token", dtype), unrotatedKeys });
}
