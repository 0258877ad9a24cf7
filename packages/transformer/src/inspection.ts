/** Looking into a model: heads taken away or exchanged, what each writes, and what each layer would say. */
export { ablateHeads, headWrites, patchHeads, type Changes, type HeadPlace } from "./inspection/heads.js";
export { logitLens } from "./inspection/logit-lens.js";
