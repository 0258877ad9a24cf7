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
   * States before the last calls of `advance` that each layer keeps, and to which `crop` goes back. Default 1: a failed or
   * cancelled step is undone.
   */
  checkpoints?: number;
};

/**
 * A cache of the states of recurrent layers: linear attention, gated delta rule, state space models, short convolutions.
 * A state is a record of tensors with batches first; its size is fixed, however many tokens it has read.
 *
 * A layer reads `state(layer)`, computes the next tokens from it, and hands over the state after them with
 * `advance(layer, state, tokens)`, which copies it to the cache's own buffers. `update` and `read` are refused:
 * `mixedCache` holds attention layers beside recurrent ones.
 *
 * A state has no tokens that could be removed. `crop` goes back to a state that is stored: one of the last `checkpoints`,
 * or none at all; other lengths are refused. `fork()` is a checkpoint at any place, without a copy until one is written.
 * A file holds the current state only.
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
        const held = { state: store?.current, batches: store?.lengths.length ?? 0 };
        const counts = checkAdvance(layer, stores.length, state, tokens, held);
        store!.advance(state, counts);
      },
    }),
  });
}
