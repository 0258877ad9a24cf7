import type { Cache } from "@qkv/attention-contract";

/** A view of the cache layers from an offset, for a layer stack that counts its layers from 0. */
export const cacheLayersFrom = (cache: Cache, first: number): Cache => ({
  update: (layer, key, value, query) => cache.update(first + layer, key, value, query),
  read: (layer) => cache.read(first + layer),
  state: (layer) => cache.state(first + layer),
  advance: (layer, state, tokens) => cache.advance(first + layer, state, tokens),
  get length() {
    return cache.length;
  },
  get lengths() {
    return cache.lengths ?? new Int32Array(0);
  },
});
