import { checks } from "@qkv/core";
import { checkDuration, type Schedule } from "./schedules.js";

/**
 * Runs schedules one after the other. Each counts its steps from 0; the last one has no end. If a part ends between two steps, the
 * next one begins with the remaining fraction of a step.
 *
 * @param parts - The schedules before the last one, with their numbers of steps: `[schedule, steps]`.
 * @param last - The last schedule.
 * @throws {ArgumentError} If a part is not a schedule with a number of steps.
 *
 * @example
 * ```ts
 * import { anneal, constant, sequential } from "@qkv/tensor/optimizers";
 *
 * const rate = sequential([[anneal({ from: 0, to: 1, steps: 2 }), 2], [constant(1), 2]], constant(0.5));
 * [0, 1, 2, 3, 4, 5].map(rate); // => [0, 0.5, 1, 1, 0.5, 0.5]
 * ```
 */
export function sequential(
  parts: readonly (readonly [schedule: Schedule, steps: number])[],
  last: Schedule,
): Schedule {
  const check = checks("sequential");
  const isPart = (part: unknown) => Array.isArray(part) && part.length === 2 && typeof part[0] === "function";
  const fix = "write `[[anneal(…), 100], [constant(…), 900]]`, and the last schedule after it.";
  check.list({ parts }, "pairs: a schedule, and the number of its steps", isPart, fix);
  parts.forEach(([, steps], i) => checkDuration("sequential", `parts[${i}][1]`, steps, 0));
  check.type({ last }, "function", "give a schedule, such as `constant(0.001)`.");
  return (step) => {
    let remaining = step;
    for (const [schedule, steps] of parts) {
      if (remaining < steps) return schedule(remaining);
      remaining -= steps;
    }
    return last(remaining);
  };
}
