/** Inspection of a decoder: names of its tensors, contributions of its heads, and logits after each layer. */
export { headContributions } from "./inspection/head-contributions.js";
export type { Interventions } from "./inspection/interventions.js";
export { logitLens } from "./inspection/logit-lens.js";
export { tensorNames } from "./inspection/tensor-names.js";
