import { checkOptions, checks } from "@qkv/core";
import { checkDuration, checkRate, type Schedule } from "./schedules.js";

/**
 * Cosine annealing along the whole cosine: falls from `peak` to `floor` in `steps` steps, rises again in as many, and so on, as
 * `CosineAnnealingLR` of PyTorch. `cosine` stays at its floor instead.
 *
 * @param options - `steps`: half a period, may be a fraction. `floor`: default 0.
 * @throws {ArgumentError} If an option is out of range.
 *
 * @example
 * ```ts
 * import { cosineAnnealing } from "@qkv/tensor/optimizers";
 *
 * [0, 2, 4, 6, 8, 12].map(cosineAnnealing({ peak: 1, steps: 4 })); // => [1, 0.5, 0, 0.5, 1, 0]
 * ```
 */
export function cosineAnnealing(options: { peak: number; floor?: number; steps: number }): Schedule {
  const { peak, floor = 0, steps } = checkOptions("cosineAnnealing", options, ["peak", "floor", "steps"]);
  checkRate("cosineAnnealing", "peak", peak);
  checkRate("cosineAnnealing", "floor", floor);
  checkDuration("cosineAnnealing", "steps", steps, 1);
  return (step) => {
    // Within the first period, where the cosine is the most exact.
    const place = step % (2 * steps);
    return place === steps ? floor : floor + ((peak - floor) / 2) * (1 + Math.cos((Math.PI * place) / steps));
  };
}

/**
 * Cosine annealing with warm restarts: falls from `peak` to `floor` in `steps` steps, begins again at `peak`, and so on. Each course
 * takes `factor` times as many steps as the one before it.
 *
 * @param options - `steps`: of the first course, may be a fraction. `factor`: 1 or more, default 1. `floor`: default 0.
 * @throws {ArgumentError} If an option is out of range.
 * @see "SGDR: Stochastic Gradient Descent with Warm Restarts" (2016), arXiv:1608.03983
 *
 * @example
 * ```ts
 * import { cosineRestarts } from "@qkv/tensor/optimizers";
 *
 * [0, 1, 2, 4, 6, 10].map(cosineRestarts({ peak: 1, steps: 2, factor: 2 })); // => [1, 0.5, 1, 0.5, 1, 0.5]
 * ```
 */
export function cosineRestarts(options: {
  peak: number;
  floor?: number;
  steps: number;
  factor?: number;
}): Schedule {
  const names = ["peak", "floor", "steps", "factor"] as const;
  const { peak, floor = 0, steps, factor = 1 } = checkOptions("cosineRestarts", options, names);
  checkRate("cosineRestarts", "peak", peak);
  checkRate("cosineRestarts", "floor", floor);
  checkDuration("cosineRestarts", "steps", steps, 1);
  checks("cosineRestarts").finite(
    { factor },
    { min: 1, fix: "give 2 to double each course, 1 for equal ones." },
  );
  return (step) => {
    let [place, length] = [factor === 1 ? step % steps : step, steps];
    while (place >= length) {
      place -= length;
      length *= factor;
    }
    return floor + ((peak - floor) / 2) * (1 + Math.cos((Math.PI * place) / length));
  };
}
