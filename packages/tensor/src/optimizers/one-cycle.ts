import { checkOptions } from "@qkv/core";
import { anneal, type AnnealShape } from "./anneal.js";
import { checkRate, checkSteps, type Schedule } from "./schedules.js";
import { sequential } from "./sequential.js";

/** Options of one cycle. */
export type OneCycleOptions = {
  peak: number;
  /** Number of updates: the last one has the rate `end`. */
  steps: number;
  /** Steps from `start` up to the peak. Default: three tenths of all, less one. */
  warmupSteps?: number;
  /** The rate of the first step. Default: a 25th of the peak. */
  start?: number;
  /** The rate of the last step. Default: a 10,000th of `start`. */
  end?: number;
  /** Default `"cosine"`. */
  shape?: AnnealShape;
};

/**
 * One cycle: up to a rate that would be too large for long, and down to nearly nothing by the last step.
 *
 * @throws {ArgumentError} If an option is outside of its range.
 * @see "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates" (2017), arXiv:1708.07120
 *
 * @example
 * ```ts
 * import { oneCycle } from "@qkv/tensor/optimizers";
 *
 * const rate = oneCycle({ peak: 1, steps: 7, warmupSteps: 2, start: 0.5, end: 0, shape: "linear" });
 * [0, 1, 2, 3, 4, 6].map(rate); // => [0.5, 0.75, 1, 0.75, 0.5, 0]
 * ```
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const names = ["peak", "steps", "warmupSteps", "start", "end", "shape"] as const;
  const given = checkOptions("oneCycle", options, names);
  const { peak, steps, shape = "cosine" } = given;
  checkRate("oneCycle", "peak", peak);
  checkSteps("oneCycle", "steps", steps, 3);
  const { warmupSteps = Math.max(1, Math.round(0.3 * steps) - 1), start = peak / 25 } = given;
  const { end = start / 1e4 } = given;
  checkRate("oneCycle", "start", start);
  checkRate("oneCycle", "end", end);
  checkSteps("oneCycle", "warmupSteps", warmupSteps, 1);
  checkSteps("oneCycle", "steps", steps, warmupSteps + 2);
  const up = anneal({ from: start, to: peak, steps: warmupSteps, shape });
  const down = anneal({ from: peak, to: end, steps: steps - 1 - warmupSteps, shape });
  return sequential([[up, warmupSteps]], down);
}
