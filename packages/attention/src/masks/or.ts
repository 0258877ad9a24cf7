import type { Mask } from "@qkv/attention-contract";
import { checkMasks, defineMask } from "../mask.js";

/**
 * Lets a query see a key where at least one of the masks does.
 *
 * @throws {ArgumentError} If there is no mask, or one that is none.
 *
 * @example
 * ```ts
 * import { causal, or, padding } from "@qkv/attention";
 *
 * or(causal(), padding([3, 5])).name; // => "or(causal(), padding([3, 5]))"
 * ```
 */
export function or(...masks: readonly Mask[]): Mask {
  checkMasks("or", masks);
  return defineMask({
    name: `or(${masks.map(({ name }) => name).join(", ")})`,
    perBatch: masks.some(({ perBatch }) => perBatch),
    perHead: masks.some(({ perHead }) => perHead),
    bind(extent) {
      const bound = masks.map((mask) => mask.bind(extent));
      return {
        sees: (query, key, batch, head) => bound.some((mask) => mask.sees(query, key, batch, head)),
        tile(query, key, batch, head) {
          const classes = bound.map((mask) => mask.tile(query, key, batch, head));
          return classes.includes("all") ? "all" : classes.includes("some") ? "some" : "none";
        },
      };
    },
  });
}
