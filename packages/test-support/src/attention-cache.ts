import type { Cache } from "@qkv/attention-contract";
import { concat, type Tensor } from "@qkv/tensor";

const notImplemented = (method: string) => (): never => {
  throw new Error(`the cache of this test does not implement \`${method}\``);
};

/**
 * Methods of a cache that throw, for caches of tests: attention layers that compute their own keys and values do not call
 * them.
 */
export const unusedMethods: Pick<Cache, "read" | "state" | "advance"> = {
  read: notImplemented("read"),
  state: notImplemented("state"),
  advance: notImplemented("advance"),
};

/** The simplest cache: concatenates keys and values `[B, H, S, D]` of each layer. */
export function plainCache(): Cache {
  const entries: [Tensor, Tensor][] = [];
  return {
    ...unusedMethods,
    update(layer, key, value) {
      const previous = entries[layer];
      const [keys, values] = previous
        ? [concat([previous[0], key], 2), concat([previous[1], value], 2)]
        : [key, value];
      entries[layer] = [keys, values];
      return { key: [keys], value: [values], positions: { start: 0 } };
    },
    get length() {
      return entries[0]?.[0].shape[2] ?? 0;
    },
  };
}
