import type { ReferenceOp } from "../reference-op.js";

/** Mixers whose step is linear in the state, under the names that the cases of `linear/` have. */
export const mixerOps: readonly ReferenceOp[] = [];
