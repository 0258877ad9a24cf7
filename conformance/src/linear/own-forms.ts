import type { ReferenceOp } from "../reference-op.js";

/** Mixers that have forms of their own: a state that learns, slots, levels, under the names that the cases of `linear/` have. */
export const ownFormOps: readonly ReferenceOp[] = [];
