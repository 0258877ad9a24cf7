import type { Mask } from "@qkv/attention-contract";
import { checkMasks, defineMask } from "../mask.js";

/**
 * Lets a query see a key where every one of the masks does.
 *
 * @throws {ArgumentError} If there is no mask, or one that is none.
 *
 * @example
 * ```ts
 * import { and, causal, padding } from "@qkv/attention";
 *
 * and(causal(), padding([3, 5])).name; // => "and(causal(), padding([3, 5]))"
 * ```
 */
export function and(...masks: readonly Mask[]): Mask {
  checkMasks("and", masks);
  return defineMask({
    name: `and(${masks.map(({ name }) => name).join(", ")})`,
    perBatch: masks.some(({ perBatch }) => perBatch),
    perHead: masks.some(({ perHead }) => perHead),
    bind(extent) {
      const bound = masks.map((mask) => mask.bind(extent));
      return {
        sees: (query, key, batch, head) => bound.every((mask) => mask.sees(query, key, batch, head)),
        tile(query, key, batch, head) {
          const classes = bound.map((mask) => mask.tile(query, key, batch, head));
          return classes.includes("none") ? "none" : classes.includes("some") ? "some" : "all";
        },
      };
    },
  });
}
