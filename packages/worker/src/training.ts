/** Training with workers: data-parallel gradients, and tokenization ahead of the training loop. */
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
