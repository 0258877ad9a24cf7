import { canonicalJson } from "./architecture-decoder.js";

/** The path at which two values differ, and the differing parts. */
export type Difference = { readonly path: string; readonly received: unknown; readonly expected: unknown };

/**
 * Finds the first difference of two values. Layers and mixers are compared by their configuration.
 *
 * @param functions - Functions found so far, in the order of first occurrence: {@link canonicalJson} writes a function as its index here.
 */
export function firstDifference(received: unknown, expected: unknown, functions: unknown[]): Difference {
  if (isObject(received) && isObject(expected) && Array.isArray(received) === Array.isArray(expected)) {
    for (const key of new Set([...Object.keys(received), ...Object.keys(expected)])) {
      const [receivedField, expectedField] = [received[key], expected[key]];
      if (canonicalJson(receivedField, functions) === canonicalJson(expectedField, functions)) continue;
      const { path, ...parts } = firstDifference(receivedField, expectedField, functions);
      return { path: (Array.isArray(received) ? `[${key}]` : `.${key}`) + path, ...parts };
    }
  }
  return { path: "", received: describe(received), expected: describe(expected) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** The name of a function, layer or mixer; other values unchanged. */
function describe(value: unknown): unknown {
  const { name } = (value ?? {}) as { name?: unknown };
  return (typeof value === "function" || isObject(value)) && typeof name === "string" ? name : value;
}
