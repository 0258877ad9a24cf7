import type { ReferenceOp } from "../reference-op.js";

/** Functions of byte patching, under the names that the cases of `blt/` have. */
export const bltOps: readonly ReferenceOp[] = [];
