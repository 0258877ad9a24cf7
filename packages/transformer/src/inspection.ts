/** Inspection of models: their kind, names of tensors, contributions of heads, and logits after each layer. */
export { headContributions } from "./inspection/head-contributions.js";
export type { Interventions } from "./inspection/interventions.js";
export { logitLens } from "./inspection/logit-lens.js";
export { modelKind } from "./models/model-kinds.js";
export { tensorNames } from "./inspection/tensor-names.js";
