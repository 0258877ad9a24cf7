export { adam, adamW, type AdamOptions } from "./optimizers/adam.js";
export { clipGradients } from "./optimizers/clip-gradients.js";
export type { Optimizer, OptimizerState } from "./optimizers/optimizer.js";
export { constant, cosine, linearWarmup, warmupCosine, type Schedule } from "./optimizers/schedules.js";
export { sgd, type SgdOptions } from "./optimizers/sgd.js";
