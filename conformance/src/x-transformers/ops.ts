import type { ReferenceOp } from "../reference-op.js";
import { attentionLayer } from "./attention.js";
import { layerStacks } from "./layers.js";

/** Layers and stacks of x-transformers, composed of functions of the packages. */
export const xTransformersOps: readonly ReferenceOp[] = [attentionLayer, ...layerStacks];
