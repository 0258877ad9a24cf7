/** Training by several workers: each computes gradients of its batches, or tokenizes ahead. */
export {
  gradientWorkers,
  type GradientWorkers,
  type GradientWorkersOptions,
} from "./training/gradient-workers.js";
export { serveGradients, type GradientTask, type ServeGradientsOptions } from "./training/serve-gradients.js";
export {
  exampleWorkers,
  type ExampleWorkers,
  type ExampleWorkersOptions,
} from "./training/example-workers.js";
export { serveExamples, type ServeExamplesOptions } from "./training/serve-examples.js";
