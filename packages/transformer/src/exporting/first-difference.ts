import { inOneForm } from "./architecture-decoder.js";

/** A place at which two values differ, after the path of both, and each one's part there. */
export type Difference = { readonly path: string; readonly received: unknown; readonly expected: unknown };

/**
 * The first place at which two values differ: in layers, the field of a mixer's configuration.
 *
 * @param functions - Functions that were met, as `inOneForm` has them.
 */
export function firstDifference(received: unknown, expected: unknown, functions: unknown[]): Difference {
  if (isObject(received) && isObject(expected) && Array.isArray(received) === Array.isArray(expected)) {
    for (const key of new Set([...Object.keys(received), ...Object.keys(expected)])) {
      const [one, other] = [received[key], expected[key]];
      if (inOneForm(one, functions) === inOneForm(other, functions)) continue;
      const { path, ...parts } = firstDifference(one, other, functions);
      return { path: (Array.isArray(received) ? `[${key}]` : `.${key}`) + path, ...parts };
    }
  }
  return { path: "", received: named(received), expected: named(expected) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** A function, a layer or a mixer by its name. */
function named(value: unknown): unknown {
  const { name } = (value ?? {}) as { name?: unknown };
  return (typeof value === "function" || isObject(value)) && typeof name === "string" ? name : value;
}
