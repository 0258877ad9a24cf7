import type { Mask, PendingMask } from "@qkv/attention-contract";
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
    pending: quantifier === "every" ? everyPending(fn, masks) : undefined,
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

/** The rules of masks in one, and the truth values of those that are pending; undefined where none is. */
function everyPending(fn: string, masks: readonly Mask[]): PendingMask | undefined {
  const parts = masks.flatMap(({ pending }) => pending ?? []);
  if (parts.length === 0) return undefined;
  const rules = masks.flatMap((mask) => (mask.pending ? (mask.pending.rule ?? []) : mask));
  return {
    ...(rules.length > 0 && { rule: combineMasks(fn, rules, "every") }),
    visible: parts.flatMap(({ visible }) => visible),
  };
}
