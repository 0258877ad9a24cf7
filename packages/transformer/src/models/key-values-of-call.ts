import type { Cache, KeyValues } from "@qkv/attention-contract";

/** Keys and values of one call of a model, for the layers that read those of another. */
export type KeyValuesOfCall = {
  /** The cache that layers with keys and values of their own append to. */
  readonly cache: Cache;
  /** Keys and values that the queries of that layer of the cache read, once it was applied. */
  of(layer: number): KeyValues;
  /** Those of all layers that were applied. */
  all(): readonly KeyValues[];
};

/**
 * Remembers what each layer's queries read in this call. A cache that forgets may hold less afterwards: a window of
 * tokens, where the first queries of a call saw earlier ones. Without a cache the call stands alone.
 */
export function keyValuesOfCall(cache: Cache | undefined): KeyValuesOfCall {
  const read = new Map<number, KeyValues>();
  const alone: Cache = {
    update: (_, key, value) => ({ key: [key], value: [value], positions: { start: 0 } }),
    read: (layer) => read.get(layer)!,
    state: () => undefined,
    advance: () => undefined,
    length: 0,
  };
  const inner = cache ?? alone;
  return {
    cache: {
      ...(inner.unrotatedKeys !== undefined && { unrotatedKeys: inner.unrotatedKeys }),
      update(layer, key, value, query) {
        const given = inner.update(layer, key, value, query);
        read.set(layer, given);
        return given;
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
    of: (layer) => read.get(layer)!,
    all: () => [...read.values()],
  };
}
