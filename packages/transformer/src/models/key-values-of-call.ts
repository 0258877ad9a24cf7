import type { Cache, KeyValues } from "@qkv/attention-contract";

/** Keys and values during one call of a model, for layers that reuse those of another. */
export type KeyValuesOfCall = {
  /** The cache for layers that compute their own keys and values. */
  readonly cache: Cache;
  /** Returns the keys and values that a cache layer returned in this call. */
  of(layer: number): KeyValues;
  /** The keys and values of all layers so far. */
  all(): readonly KeyValues[];
};

/**
 * Records the keys and values of each layer in this call. A cache that evicts may hold fewer afterwards: in a rolling
 * cache, the first queries of the call have seen tokens that are evicted at its end. Also works without a cache.
 */
export function keyValuesOfCall(cache: Cache | undefined): KeyValuesOfCall {
  const byLayer = new Map<number, KeyValues>();
  const uncached: Cache = {
    update: (_, key, value) => ({ key: [key], value: [value], positions: { start: 0 } }),
    read: (layer) => byLayer.get(layer)!,
    state: () => undefined,
    advance: () => undefined,
    length: 0,
  };
  const inner = cache ?? uncached;
  return {
    cache: {
      ...(inner.unrotatedKeys !== undefined && { unrotatedKeys: inner.unrotatedKeys }),
      update(layer, key, value, query) {
        const keyValues = inner.update(layer, key, value, query);
        byLayer.set(layer, keyValues);
        return keyValues;
      },
      read: (layer) => inner.read(layer),
      state: (layer) => inner.state(layer),
      advance: (layer, state, tokens) => inner.advance(layer, state, tokens),
      get length() {
        return inner.length;
      },
      ...(inner.lengths && {
        get lengths() {
          return inner.lengths!;
        },
      }),
    },
    of: (layer) => byLayer.get(layer)!,
    all: () => [...byLayer.values()],
  };
}
