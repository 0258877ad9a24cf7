import { xTransformersOps } from "../x-transformers/ops.js";
import { vectors } from "./vectors.js";

/** `x-transformers/*.json`: variants of softmax attention with weights and gradients. One family. */
export const xTransformers = vectors("x-transformers", xTransformersOps, () => "x-transformers");
