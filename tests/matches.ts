import type { Expected } from "./expected.ts";

/**
 * True if a value equals the expected one. A number with decimals matches within half a unit of its last digit; one without
 * must be equal; a list matches an array or a typed array; an object must have the same keys.
 */
export function matches(actual: unknown, expected: Expected): boolean {
  switch (expected.kind) {
    case "number":
      return typeof actual === "number" && sameNumber(actual, expected.text);
    case "value":
      return actual === expected.value;
    case "undefined":
      return actual === undefined;
    case "list": {
      const list = ArrayBuffer.isView(actual) ? [...(actual as Float32Array)] : actual;
      return (
        Array.isArray(list) &&
        list.length === expected.items.length &&
        expected.items.every((item, i) => matches(list[i], item))
      );
    }
    case "object":
      return (
        typeof actual === "object" &&
        actual !== null &&
        Object.keys(actual).length === expected.entries.length &&
        expected.entries.every(
          ([key, value]) =>
            Object.hasOwn(actual, key) && matches((actual as Record<string, unknown>)[key], value),
        )
      );
    case "throws":
      return false;
  }
}

function sameNumber(actual: number, text: string): boolean {
  const printed = Number(text);
  const [, decimals, exponent = "0"] = /\.(\d+)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  if (decimals === undefined) return actual === printed || (Number.isNaN(actual) && Number.isNaN(printed));
  // Half a unit of the last digit, plus an allowance for the rounding of the numbers themselves.
  const half = 0.5 * 10 ** (Number(exponent) - decimals.length);
  return Math.abs(actual - printed) <= half * (1 + 1e-6);
}
