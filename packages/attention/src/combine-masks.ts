import type { Mask, PendingMask } from "@qkv/attention-contract";
import { checkMasks, defineMask } from "./mask.js";

/** Combines masks: a query sees a key if `every` mask allows it (`and`), or if `some` mask does (`or`). */
export function combineMasks(fn: string, masks: readonly Mask[], quantifier: "every" | "some"): Mask {
  checkMasks(fn, masks);
  // The class of a tile in one mask that decides the class in the combination, and the class if no mask decides.
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

/** The conjunction of masks of which some are pending: their rules combined, and all their tensors. Undefined if none is pending. */
function everyPending(fn: string, masks: readonly Mask[]): PendingMask | undefined {
  const parts = masks.flatMap(({ pending }) => pending ?? []);
  if (parts.length === 0) return undefined;
  const rules = masks.flatMap((mask) => (mask.pending ? (mask.pending.rule ?? []) : mask));
  return {
    ...(rules.length > 0 && { rule: combineMasks(fn, rules, "every") }),
    visible: parts.flatMap(({ visible }) => visible),
  };
}
