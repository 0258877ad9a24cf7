import { checkOptions, checks } from "@qkv/core";
import { checkDuration, checkRate, type Schedule } from "./schedules.js";

/** The course of a rate from one value to another. A number is the power of a polynomial: 1 is `"linear"`. */
export type AnnealShape = "linear" | "cosine" | "exponential" | "sqrt" | number;

/** The rest of the way, from 1 to 0, after a part of the steps. */
const left: Record<string, (part: number) => number> = {
  linear: (part) => 1 - part,
  cosine: (part) => (1 + Math.cos(Math.PI * part)) / 2,
  sqrt: (part) => 1 - Math.sqrt(part),
};

/**
 * Goes from one rate to another in `steps` steps, up or down, and stays there. `"exponential"` multiplies by the same factor
 * in each step, as a search for the best rate does: train with `anneal({ from: 1e-7, to: 1, steps: 100, shape: "exponential" })`,
 * and take a tenth of the rate at which the loss is lowest.
 *
 * @param options - `steps`: 1 or more, and it may have a fraction. `shape`: `"linear"` (default), `"cosine"` (half a wave), `"sqrt"` (fast at first, `1 − √part` is left),
 *   `"exponential"`, or the power p of the polynomial `(1 − part)ᵖ`.
 * @throws {ArgumentError} If an option is outside of its range; of an exponential both rates are above 0.
 * @see "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations" (2024), arXiv:2405.18392, for `"sqrt"`;
 *   "Cyclical Learning Rates for Training Neural Networks" (2015), arXiv:1506.01186, for the search
 *
 * @example
 * ```ts
 * import { anneal } from "@qkv/tensor/optimizers";
 *
 * [0, 1, 2, 4, 9].map(anneal({ from: 1, to: 0, steps: 4 })); // => [1, 0.75, 0.5, 0, 0]
 * [0, 1, 2].map(anneal({ from: 1, to: 4, steps: 2, shape: "exponential" })); // => [1, 2, 4]
 * ```
 */
export function anneal(options: { from: number; to: number; steps: number; shape?: AnnealShape }): Schedule {
  const names = ["from", "to", "steps", "shape"] as const;
  const { from, to, steps, shape = "linear" } = checkOptions("anneal", options, names);
  checkRate("anneal", "from", from);
  checkRate("anneal", "to", to);
  checkDuration("anneal", "steps", steps, 1);
  const rateAt = annealed("anneal", { from, to }, { shape });
  return (step) => rateAt(step / steps);
}

/**
 * The rate by the part of the way that is done, the last rate from 1 on.
 *
 * @param fn - The function that refusals name.
 * @param ends - Both rates, under the names of its arguments.
 * @param course - The shape, under the name of its argument.
 */
export function annealed(
  fn: string,
  ends: Readonly<Record<string, number>>,
  course: Readonly<Record<string, AnnealShape>>,
): (part: number) => number {
  const check = checks(fn);
  const [from, to] = Object.values(ends) as [number, number];
  const [shape] = Object.values(course) as [AnnealShape];
  if (typeof shape === "number") check.finite(course, { above: 0 });
  else check.oneOf(course, ["linear", "cosine", "exponential", "sqrt"]);
  if (shape === "exponential") {
    check.finite(ends, { above: 0, fix: "begin and end above 0: a factor cannot reach it." });
    return (part) => (part < 1 ? from * (to / from) ** part : to);
  }
  const rest = typeof shape === "number" ? (part: number) => (1 - part) ** shape : left[shape]!;
  return (part) => {
    const share = part < 1 ? rest(part) : 0;
    return from * share + to * (1 - share);
  };
}
