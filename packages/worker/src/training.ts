/** Training by several workers: each computes gradients of its batches. */
export {
  gradientWorkers,
  type GradientWorkers,
  type GradientWorkersOptions,
} from "./training/gradient-workers.js";
export { serveGradients, type GradientTask, type ServeGradientsOptions } from "./training/serve-gradients.js";
