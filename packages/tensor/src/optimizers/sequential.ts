import { checks } from "@qkv/core";
import { checkDuration, type Schedule } from "./schedules.js";

/**
 * Schedules one after the other. Each counts its own steps from 0; the last one has no end. A part may end between two steps:
 * the next one then begins with the rest of the step.
 *
 * @param parts - Each but the last with the number of its steps: `[schedule, steps]`.
 * @param last - The schedule that follows them.
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
    let own = step;
    for (const [schedule, steps] of parts) {
      if (own < steps) return schedule(own);
      own -= steps;
    }
    return last(own);
  };
}
