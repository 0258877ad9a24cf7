import type { ReferenceOp } from "../reference-op.js";

/** Forms of softmax attention: latent keys, gates in the scores, sparse choices, under the names that the cases of `linear/` have. */
export const softmaxOps: readonly ReferenceOp[] = [];
