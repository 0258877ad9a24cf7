import { checks } from "@qkv/core";
import type { HalfType } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { checkCacheOptions, checkHalfType } from "./check-change.js";
import { keyValueCache } from "./key-value-cache.js";
import { rollingStore } from "./rolling-store.js";
import { storageFormat, layoutWithType } from "./row-layout.js";

export type RollingOptions = {
  /** Keys that one query sees, its own included: the `windowSize` of the model's `slidingWindow`. Unit: tokens. */
  windowSize: number;
  /** Number of first tokens that are never evicted (attention sinks). Default 0. */
  keepFirst?: number;
  /**
   * Tokens that one update may append in place, and that `crop` may remove again: 1 for decoding token by token.
   * Default 1.
   */
  room?: number;
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Stores keys before the rotary embedding (pre-RoPE) and rotates them on read, by their index in the cache. Default false. */
  unrotatedKeys?: boolean;
  /** Stores keys and values in 16 bits, half the memory, each number rounded to the nearest. Default: as they are given. */
  dtype?: HalfType;
};

/**
 * A cache for sliding-window attention: it stores the last tokens in a ring buffer, and optionally also the first ones. Each
 * query sees its own token, the `windowSize - 1` tokens before it, and the first `keepFirst` tokens. These are the keys that
 * full attention sees under the mask `and(causal(), or(keepFirst(n), slidingWindow(windowSize)))`, with n = `keepFirst`.
 * Decoding one token at a time needs no mask, since the cache then returns only these keys.
 *
 * If a prompt is longer than the ring buffer, attention reads the given keys and values, and only the last tokens are stored.
 * With `unrotatedKeys` and `keepFirst` this is StreamingLLM: keys are rotated by their index in the cache, so distances never
 * exceed those of the training data.
 *
 * @throws {ArgumentError} If an option is out of range, or `dtype` is given with `unrotatedKeys`; and from `crop`, which then
 *   changes nothing, if evicted tokens would be needed again.
 * @see "Mistral 7B" (2023), arXiv:2310.06825; "Efficient Streaming Language Models with Attention Sinks" (2023),
 *   arXiv:2309.17453
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { rollingCache } from "@qkv/kv-cache";
 *
 * const cache = rollingCache({ windowSize: 4, keepFirst: 1 });
 * for (let t = 0; t < 100; t++) {
 *   const x = randn([1, 2, 1, 8], { seed: t }); // [B, Hkv, T, D]
 *   const keyValues = cache.update(0, x, x); // attention(query, keyValues) reads the first token and the last four
 * }
 * [cache.length, cache.stored]; // => [100, 5]
 * ```
 */
export function rollingCache(options: RollingOptions): KvCache {
  const check = checks("rollingCache");
  const {
    windowSize,
    keepFirst = 0,
    room = 1,
    numLayers = 1,
    unrotatedKeys = false,
    dtype,
  } = check.options(options, ["windowSize", "keepFirst", "room", "numLayers", "unrotatedKeys", "dtype"]);
  checkCacheOptions("rollingCache", numLayers, unrotatedKeys);
  checkHalfType("rollingCache", dtype, unrotatedKeys);
  const unit = "tokens";
  check.whole({ windowSize }, { min: 1, unit, fix: "count the query itself, as slidingWindow does." });
  check.whole({ room }, { min: 1, unit, fix: "1 appends token by token; more lets crop take tokens back." });
  check.whole({ keepFirst }, { min: 0, unit, fix: "count the tokens at the start that stay; 0 keeps none." });
  const sizes = { window: windowSize, first: keepFirst, room };
  const stores = Array.from({ length: numLayers }, () => rollingStore(sizes, layoutWithType(dtype)));
  const form = `window of ${windowSize}, first ${keepFirst}, room ${room}`;
  return keyValueCache(stores, { form: storageFormat(form, dtype), unrotatedKeys });
}
