import type { Cache } from "@qkv/attention-contract";
import { concat, type Tensor } from "@qkv/tensor";

const unused = (method: string) => (): never => {
  throw new Error(`the plain cache of a test has no \`${method}\``);
};

/** The methods that an attention layer with keys and values of its own does not call, for plain caches of tests. */
export const unusedMethods: Pick<Cache, "read" | "state" | "advance"> = {
  read: unused("read"),
  state: unused("state"),
  advance: unused("advance"),
};

/** Holds what it is given, as plainly as can be. */
export function plainCache(): Cache {
  const held: [Tensor, Tensor][] = [];
  return {
    ...unusedMethods,
    update(layer, key, value) {
      const before = held[layer];
      const all = before
        ? ([concat([before[0], key], 2), concat([before[1], value], 2)] as const)
        : ([key, value] as const);
      held[layer] = [...all];
      return { key: [all[0]], value: [all[1]], positions: { start: 0 } };
    },
    get length() {
      return held[0]?.[0].shape[2] ?? 0;
    },
  };
}
