import type { ReferenceOp } from "../reference-op.js";

/** Layers and stacks of x-transformers, composed of parts of the packages. */
export const xTransformersOps: readonly ReferenceOp[] = [];
