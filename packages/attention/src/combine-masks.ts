import type { Mask } from "@qkv/attention-contract";
import { checkMasks, defineMask } from "./mask.js";

/** The mask that holds where `every` one of the masks does, or `some`: `and(…)` and `or(…)`. */
export function combineMasks(fn: string, masks: readonly Mask[], quantifier: "every" | "some"): Mask {
  checkMasks(fn, masks);
  // The class of one mask's tile that decides for all, and that of the tile if no mask decides.
  const [decisive, otherwise] =
    quantifier === "every" ? (["none", "all"] as const) : (["all", "none"] as const);
  return defineMask({
    name: `${fn}(${masks.map(({ name }) => name).join(", ")})`,
    perBatch: masks.some(({ perBatch }) => perBatch),
    perHead: masks.some(({ perHead }) => perHead),
    bind(extent) {
      const bound = masks.map((mask) => mask.bind(extent));
      return {
        sees: (query, key, batch, head) => bound[quantifier]((mask) => mask.sees(query, key, batch, head)),
        tile(query, key, batch, head) {
          const classes = bound.map((mask) => mask.tile(query, key, batch, head));
          return classes.includes(decisive) ? decisive : classes.includes("some") ? "some" : otherwise;
        },
      };
    },
  });
}
