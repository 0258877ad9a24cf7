import { compareNumbers, type Check } from "../check.js";

/** An entry of one of the planner's JSON files. */
export type PlannerEntry = Readonly<Record<string, unknown>>;

/** The entries of `models.json` by name. */
export type Models = ReadonlyMap<string, PlannerEntry>;

/** The shape of an entry: its own, or that of the named model. */
export function shapeOf(entry: PlannerEntry, models: Models): PlannerEntry {
  const own = entry["shape"];
  if (typeof own === "object" && own !== null) return own as PlannerEntry;
  const model = models.get(String(entry["model"]));
  if (model) return model;
  throw new Error(
    `names ${JSON.stringify(entry["model"])}, which models.json does not have, and has no shape`,
  );
}

/** The number captured by the pattern in a text; throws if it does not match. */
export function numberIn(text: unknown, pattern: RegExp): number {
  const found = pattern.exec(String(text))?.[1];
  if (found === undefined) throw new Error(`says nothing of the form ${String(pattern)}`);
  return Number(found.replaceAll(",", ""));
}

/** Relative error of a number with respect to the published one. */
export function compareRelatively(output: string, ours: number, published: number, tolerance: number): Check {
  const error = Math.abs(ours / published - 1);
  return {
    output,
    error: Number.isFinite(error) ? error : Infinity,
    tolerance,
    detail: `${ours}, published ${published}`,
  };
}

/**
 * Checks that a number is in a range: the error is the distance from the middle, the tolerance half of the width.
 */
export function compareToRange(output: string, value: number, [low, high]: readonly [number, number]): Check {
  const middle = (low + high) / 2;
  const error = Math.abs(value - middle);
  return {
    output,
    error: Number.isFinite(error) ? error : Infinity,
    tolerance: (high - low) / 2,
    detail: `${value}, expected ${low} to ${high}`,
  };
}

/** Checks that a number equals the published one. */
export const compareEqual = (output: string, ours: number, published: number): Check =>
  compareNumbers(output, { shape: [], values: [ours] }, { shape: [], values: [published] }, 0, {
    absolute: true,
  });
