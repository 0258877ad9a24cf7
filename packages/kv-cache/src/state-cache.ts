import { checks } from "@qkv/core";
import type { KvCache } from "./cache.js";
import { checkCacheOptions } from "./check-change.js";
import { checkAdvance, checkLayer } from "./check-state.js";
import type { StateStore } from "./layer-store.js";
import { layeredCache } from "./layered-cache.js";
import { refuseKeyValues } from "./other-methods.js";
import { stateStore } from "./state-store.js";

export type StateOptions = {
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /**
   * Number of earlier states that each layer stores, so that `crop` can undo as many calls of `advance`. Default 1: enough to
   * undo a failed or cancelled step.
   */
  checkpoints?: number;
};

/**
 * A cache of the states of recurrent layers: linear attention, gated delta rule, state space models, short convolutions.
 * A state is an object of tensors `[B, …]`. Its size does not depend on the number of tokens.
 *
 * A layer reads `state(layer)`, computes the next tokens from it, and passes the new state to
 * `advance(layer, state, tokens)`, which copies it to buffers of the cache. `update` and `read` throw an error; for models
 * that also have attention layers, use `mixedCache`.
 *
 * Single tokens cannot be removed from a state. `crop` goes back to a stored state, one of the last `checkpoints`, or to
 * length 0; other lengths throw an error. `fork()` is a checkpoint at any length, and copies nothing until one of the two
 * caches is written. A saved file contains only the current state.
 *
 * @throws {ArgumentError} If an option is out of range; from `advance`, if a state has other tensors than the last one;
 *   and from `crop`, which then changes nothing, if no state of that length is stored.
 * @see "Transformers are RNNs" (2020), arXiv:2006.16236; "Gated Delta Networks" (2024), arXiv:2412.06464
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { stateCache } from "@qkv/kv-cache";
 *
 * const cache = stateCache({ checkpoints: 2 });
 * cache.state(0); // => undefined
 * const state = randn([1, 2, 8, 8], { seed: 1 }); // [B, H, K, V]
 * const conv = randn([1, 48, 3], { seed: 2 }); // [B, C, k - 1]
 * cache.advance(0, { state, conv }, 100); // after a prompt of 100 tokens
 * for (let t = 0; t < 50; t++) cache.advance(0, { state, conv }, 1);
 * [cache.length, cache.bytes]; // => [150, 3264]
 * cache.crop(148);
 * cache.crop(120); // => throws ArgumentError: `length` is 120, expected 148, of which a state is stored
 * ```
 */
export function stateCache(options?: StateOptions): KvCache {
  const check = checks("stateCache");
  const { numLayers = 1, checkpoints = 1 } = check.options(options, ["numLayers", "checkpoints"]);
  checkCacheOptions("stateCache", numLayers);
  const fix = "count the calls of `advance` that `crop` may undo.";
  check.whole({ checkpoints }, { min: 0, unit: "states", fix });
  const stores = Array.from({ length: numLayers }, () => stateStore(checkpoints));
  return layeredCache<StateStore>(stores, {
    form: "states",
    methods: (stores) => ({
      ...refuseKeyValues,
      state(layer) {
        checkLayer("state", layer, stores.length);
        return stores[layer]!.current;
      },
      advance(layer, state, tokens) {
        const store = stores[layer];
        const current = { state: store?.current, batches: store?.lengths.length ?? 0 };
        const counts = checkAdvance(layer, stores.length, state, tokens, current);
        store!.advance(state, counts);
      },
    }),
  });
}
