import { checkOptions } from "@qkv/core";
import { checkRate, checkSteps, type Schedule } from "./schedules.js";

/**
 * Grows linearly from 0 to `peak` in `warmupSteps` steps, then decays with the inverse square root of the step.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762
 *
 * @example
 * ```ts
 * import { inverseSqrt } from "@qkv/tensor/optimizers";
 *
 * [0, 2, 4, 16, 64].map(inverseSqrt({ peak: 1, warmupSteps: 4 })); // => [0, 0.5, 1, 0.5, 0.25]
 * ```
 */
export function inverseSqrt(options: { peak: number; warmupSteps: number }): Schedule {
  const { peak, warmupSteps } = checkOptions("inverseSqrt", options, ["peak", "warmupSteps"]);
  checkRate("inverseSqrt", "peak", peak);
  checkSteps("inverseSqrt", "warmupSteps", warmupSteps, 1);
  return (step) => peak * Math.min(step / warmupSteps, Math.sqrt(warmupSteps / Math.max(1, step)));
}
