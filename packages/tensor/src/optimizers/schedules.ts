import { checks, checkOptions } from "@qkv/core";

/** The learning rate as a function of the number of previous updates: 0, 1, 2, … */
export type Schedule = (step: number) => number;

/**
 * A constant rate.
 *
 * @example
 * ```ts
 * import { constant } from "@qkv/tensor/optimizers";
 *
 * constant(0.1)(1000); // => 0.1
 * ```
 */
export function constant(rate: number): Schedule {
  checkRate("constant", "rate", rate);
  return () => rate;
}

/**
 * A linear warm-up before another schedule: update n of the first `steps` has `n / steps` of the initial rate of the other schedule.
 *
 * @param steps - An integer, 0 or more.
 * @param then - A rate, or a schedule that begins with its step 0 after the warm-up.
 *
 * @example
 * ```ts
 * import { linearWarmup } from "@qkv/tensor/optimizers";
 *
 * [0, 1, 2, 3, 4].map(linearWarmup(4, 1)); // => [0.25, 0.5, 0.75, 1, 1]
 * ```
 */
export function linearWarmup(steps: number, then: number | Schedule): Schedule {
  checkSteps("linearWarmup", "steps", steps, 0);
  if (typeof then !== "function") checkRate("linearWarmup", "then", then);
  const after = typeof then === "number" ? constant(then) : then;
  return (step) => (step < steps ? (after(0) * (step + 1)) / steps : after(step - steps));
}

/**
 * Cosine decay: falls from `peak` to `floor` in `steps` steps along half a period of the cosine, then stays constant. PyTorch's
 * `CosineAnnealingLR` rises again: `cosineAnnealing`.
 *
 * @param options - `floor`: default 0.
 * @see "SGDR: Stochastic Gradient Descent with Warm Restarts" (2016), arXiv:1608.03983, without the restarts
 *
 * @example
 * ```ts
 * import { cosine } from "@qkv/tensor/optimizers";
 *
 * [0, 2, 4, 5].map(cosine({ peak: 1, floor: 0.5, steps: 4 })); // => [1, 0.75, 0.5, 0.5]
 * ```
 */
export function cosine(options: { peak: number; floor?: number; steps: number }): Schedule {
  const { peak, floor = 0, steps } = checkOptions("cosine", options, ["peak", "floor", "steps"]);
  checkRate("cosine", "peak", peak);
  checkRate("cosine", "floor", floor);
  checkDuration("cosine", "steps", steps, 1);
  return (step) =>
    step >= steps ? floor : floor + ((peak - floor) / 2) * (1 + Math.cos((Math.PI * step) / steps));
}

/**
 * The usual schedule for transformers: a linear warm-up to `peak`, then cosine annealing to `floor`.
 *
 * @param options - `steps`: total number of steps. `warmupSteps`: fewer than `steps`. `floor`: default 0.
 *
 * @example
 * ```ts
 * import { warmupCosine } from "@qkv/tensor/optimizers";
 *
 * const rate = warmupCosine({ peak: 1, warmupSteps: 2, steps: 6 });
 * [0, 1, 2, 4, 6].map(rate); // => [0.5, 1, 1, 0.5, 0]
 * ```
 */
export function warmupCosine(options: {
  peak: number;
  warmupSteps: number;
  steps: number;
  floor?: number;
}): Schedule {
  const names = ["peak", "warmupSteps", "steps", "floor"] as const;
  const { peak, warmupSteps, steps, floor = 0 } = checkOptions("warmupCosine", options, names);
  checkRate("warmupCosine", "peak", peak);
  checkRate("warmupCosine", "floor", floor);
  checkSteps("warmupCosine", "warmupSteps", warmupSteps, 0);
  const fix = `\`steps\` has the ${warmupSteps} of the warm-up in it: give more, or fewer \`warmupSteps\`.`;
  checks("warmupCosine").whole({ steps }, { min: warmupSteps + 1, unit: "updates", fix });
  return linearWarmup(warmupSteps, cosine({ peak, floor, steps: steps - warmupSteps }));
}

/** The learning rate of an update. */
export function rateAt(fn: string, learningRate: number | Schedule, step: number): number {
  const rate: unknown = typeof learningRate === "function" ? learningRate(step) : learningRate;
  return checkRate(fn, typeof learningRate === "function" ? `learningRate(${step})` : "learningRate", rate);
}

/** Checks a rate: a number of at least 0. */
export function checkRate(fn: string, argument: string, rate: unknown): number {
  const fix = "give the size of a step, such as 0.001, or a schedule that returns one.";
  checks(fn).finite({ [argument]: rate }, { min: 0, fix });
  return rate as number;
}

/** Checks a duration in steps, which may be a fraction. */
export function checkDuration(fn: string, argument: string, steps: number, min: number): void {
  checks(fn).finite(
    { [argument]: steps },
    { min, unit: "updates", fix: "count calls of `update`, not epochs." },
  );
}

/** Checks a number of steps. */
export function checkSteps(fn: string, argument: string, steps: number, min: number): void {
  checks(fn).whole(
    { [argument]: steps },
    { min, unit: "updates", fix: "count calls of `update`, not epochs." },
  );
}
