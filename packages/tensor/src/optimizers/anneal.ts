import { checkOptions, checks } from "@qkv/core";
import { checkDuration, checkRate, type Schedule } from "./schedules.js";

/** Shape of the curve from one rate to another. A number is the power of a polynomial: 1 is `"linear"`. */
export type AnnealShape = "linear" | "cosine" | "exponential" | "sqrt" | number;

/** The remaining part of the change, from 1 to 0, by the completed part of the steps. */
const remaining: Record<string, (part: number) => number> = {
  linear: (part) => 1 - part,
  cosine: (part) => (1 + Math.cos(Math.PI * part)) / 2,
  sqrt: (part) => 1 - Math.sqrt(part),
};

/**
 * Goes from one rate to another in `steps` steps, up or down, and stays there. `"exponential"` multiplies by the same factor
 * in each step, as a search for the best rate does: train with `anneal({ from: 1e-7, to: 1, steps: 100, shape: "exponential" })`,
 * and take a tenth of the rate at which the loss is lowest.
 *
 * @param options - `steps`: 1 or more, may be a fraction. `shape`: `"linear"` (default), `"cosine"` (half a period), `"sqrt"` (`1 − √part`, fast at first),
 *   `"exponential"`, or the power p of the polynomial `(1 − part)ᵖ`.
 * @throws {ArgumentError} If an option is out of range; `"exponential"` requires rates above 0.
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
 * The rate as a function of the completed part of the steps, constant from 1 on.
 *
 * @param fn - Public function that errors name.
 * @param ends - Both rates, by the names of its arguments.
 * @param shapeByName - The shape, by the name of its argument.
 */
export function annealed(
  fn: string,
  ends: Readonly<Record<string, number>>,
  shapeByName: Readonly<Record<string, AnnealShape>>,
): (part: number) => number {
  const check = checks(fn);
  const [from, to] = Object.values(ends) as [number, number];
  const [shape] = Object.values(shapeByName) as [AnnealShape];
  if (typeof shape === "number") check.finite(shapeByName, { above: 0 });
  else check.oneOf(shapeByName, ["linear", "cosine", "exponential", "sqrt"]);
  if (shape === "exponential") {
    check.finite(ends, { above: 0, fix: "begin and end above 0: a factor cannot reach it." });
    return (part) => (part < 1 ? from * (to / from) ** part : to);
  }
  const rest = typeof shape === "number" ? (part: number) => (1 - part) ** shape : remaining[shape]!;
  return (part) => {
    const share = part < 1 ? rest(part) : 0;
    return from * share + to * (1 - share);
  };
}
