import { checkOptions, checks } from "@qkv/core";
import { annealed, type AnnealShape } from "./anneal.js";
import { checkRate, checkSteps, type Schedule } from "./schedules.js";

/** Options of {@link oneCycle}. */
export type OneCycleOptions = {
  peak: number;
  /** Number of updates: the last one has the rate `end`. */
  steps: number;
  /** Steps from `start` to the peak, fewer than `steps`, may be a fraction: `pct_start · steps − 1` of PyTorch. Default `0.3 · steps − 1`. */
  warmupSteps?: number;
  /** Rate of the first step. Default `peak / 25`. */
  start?: number;
  /** Rate of the last step. Default `start / 10000`. */
  end?: number;
  /** Default `"cosine"`. */
  shape?: AnnealShape;
};

/**
 * The one-cycle schedule: up to a rate that is too large for long use, then down to almost 0 by the last step.
 *
 * If the warm-up ends between two steps, as PyTorch's does for most numbers of steps, no step has exactly the peak rate.
 *
 * @throws {ArgumentError} If an option is out of range.
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
  const checked = checkOptions("oneCycle", options, names);
  const { peak, steps, shape = "cosine" } = checked;
  checkRate("oneCycle", "peak", peak);
  checkSteps("oneCycle", "steps", steps, 1);
  const { warmupSteps = 0.3 * steps - 1, start = peak / 25 } = checked;
  const { end = start / 1e4 } = checked;
  checkRate("oneCycle", "start", start);
  checkRate("oneCycle", "end", end);
  const fix = "the last step has the rate `end`: give fewer, or more `steps`.";
  checks("oneCycle").finite({ warmupSteps }, { min: -1, max: steps - 1, fix });
  const up = annealed("oneCycle", { start, peak }, { shape });
  const down = annealed("oneCycle", { peak, end }, { shape });
  return (step) =>
    warmupSteps > 0 && step <= warmupSteps
      ? up(step / warmupSteps)
      : down((step - warmupSteps) / (steps - 1 - warmupSteps));
}
