import { inOneForm } from "./architecture-decoder.js";

/** The path at which two values differ, and the differing parts. */
export type Difference = { readonly path: string; readonly received: unknown; readonly expected: unknown };

/**
 * Finds the first difference of two values; in layers, the field of a mixer's configuration.
 *
 * @param functions - Functions found so far, in the order of first occurrence.
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

/** A description of a function, a layer or a mixer: its name. */
function named(value: unknown): unknown {
  const { name } = (value ?? {}) as { name?: unknown };
  return (typeof value === "function" || isObject(value)) && typeof name === "string" ? name : value;
}
