import { checks } from "@qkv/core";
import type { EvictionScore } from "@qkv/attention-contract";
import type { KvCache } from "./cache.js";
import { checkCacheOptions } from "./check-change.js";
import { evictingStore } from "./evicting-store.js";
import { keyValueCache } from "./key-value-cache.js";

export type EvictingOptions = {
  /** Number of tokens stored per sequence. */
  budget: number;
  /**
   * Eviction score, such as `h2o()`, `snapKV()`, `tova()`, `keyNorm()` or `expectedAttention()` of `@qkv/attention`. The
   * tokens with the lowest scores are evicted.
   */
  score: EvictionScore;
  /** Number of first tokens that are never evicted (attention sinks). Default 0. */
  keepFirst?: number;
  /** Number of last tokens that are never evicted. Default: the queries that the score reads, at least 1. */
  keepLast?: number;
  /** Tokens that one update may append in place. Default 1. */
  room?: number;
  /**
   * `"layer"`: all key-value heads of a layer store the same tokens, chosen by their mean score. `"head"`: each key-value head
   * stores its own tokens, chosen by its own scores, as in the papers. Default `"layer"`.
   */
  keptPer?: "layer" | "head";
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
};

/**
 * A cache that stores `budget` tokens per sequence: the first `keepFirst`, the last `keepLast`, and the others with the highest
 * scores. The queries of an update see all stored tokens and the new ones; afterwards the tokens with the lowest scores are
 * evicted. If the budget is not exceeded, the cache equals a full cache.
 *
 * Keys retain their positions in the sequence, so masks and biases mean the same as without eviction. With
 * `keptPer: "head"`, positions are `[B, Hkv, S]`, and score mods run on the plain device.
 *
 * A score that reads queries needs them in `update(layer, key, value, query)`, rotated as the keys are; layers of attention
 * pass them.
 *
 * @throws {ArgumentError} If an option is out of range or the protected tokens exceed the budget; from `update`, if a score
 *   needs queries and none are given; and from `crop`, which then changes nothing, to lengths at which evicted tokens would
 *   be needed again.
 * @see "H2O: Heavy-Hitter Oracle" (2023), arXiv:2306.14048; "SnapKV" (2024), arXiv:2404.14469; "KVPress" (2024)
 *
 * @example
 * ```ts
 * import { norm, randn, type Tensor } from "@qkv/tensor";
 * import { evictingCache } from "@qkv/kv-cache";
 *
 * // Any eviction score can be used; this one retains the keys with the largest norm.
 * const longest = { name: "longest keys", queryWindow: 0, accumulates: false };
 * const score = { ...longest, score: ({ key }: { key: Tensor }) => norm(key, { axis: -1 }) };
 * const cache = evictingCache({ budget: 8, keepFirst: 2, score });
 * for (let t = 0; t < 100; t++) {
 *   const x = randn([1, 2, 1, 8], { seed: t }); // [B, Hkv, T, D]
 *   cache.update(0, x, x);
 * }
 * [cache.length, cache.stored]; // => [100, 8]
 * ```
 */
export function evictingCache(options: EvictingOptions): KvCache {
  const check = checks("evictingCache");
  const names = ["budget", "score", "keepFirst", "keepLast", "room", "keptPer", "numLayers"] as const;
  const checked = check.options(options, names);
  const { budget, score, keepFirst = 0, keepLast, room = 1, keptPer = "layer", numLayers = 1 } = checked;
  check.oneOf({ keptPer }, ["layer", "head"]);
  checkCacheOptions("evictingCache", numLayers);
  const unit = "tokens";
  check.whole({ budget }, { min: 1, unit, fix: "give the number of tokens to keep of each sequence." });
  check.each(
    { score },
    (value) => typeof (value as Partial<EvictionScore> | undefined)?.score === "function",
    "an eviction score",
    "make one, for example with `keyNorm()` of @qkv/attention.",
  );
  const least = Math.max(1, score.queryWindow);
  const last = keepLast ?? Math.min(least, budget);
  check.whole({ keepFirst }, { min: 0, unit, fix: "count the tokens at the start that stay; 0 keeps none." });
  check.whole(
    { keepLast: last },
    { min: least, unit, fix: `${score.name} reads the last ${least} queries: keep their tokens.` },
  );
  check.whole({ room }, { min: 1, unit, fix: "1 appends token by token; more appends so many in place." });
  if (keepFirst + last > budget) {
    check.refuse({
      argument: "budget",
      received: budget,
      expected: `at least keepFirst + keepLast = ${keepFirst + last} tokens`,
      fix: "protect fewer tokens, or keep more.",
    });
  }
  const sizes = { budget, first: keepFirst, last, room, keptPer };
  const stores = Array.from({ length: numLayers }, () => evictingStore(sizes, score));
  const perHead = keptPer === "head" ? " of each head" : "";
  const form = `${budget}${perHead} by ${score.name}, first ${keepFirst}, last ${last}, room ${room}`;
  return keyValueCache(stores, { form, unrotatedKeys: false });
}
