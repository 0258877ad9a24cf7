/** Looking into a model: heads taken away or exchanged, what each writes, and what each layer would say. */
export {
  ablateHeads,
  headContributions,
  patchHeads,
  type Interventions,
  type HeadIndex,
} from "./inspection/heads.js";
export { logitLens } from "./inspection/logit-lens.js";
export { tensorNames } from "./inspection/tensor-names.js";
