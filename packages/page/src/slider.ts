import { ArgumentError } from "@qkv/core";
import { currentHost } from "./host.js";

/** Range of a slider. `step`: default 1. `value`: the initial value. */
export type SliderOptions = { min: number; max: number; step?: number; value: number };

/**
 * Adds a slider to the page beside the code, and returns its value. When the reader moves it, the code runs again from its
 * first line with the new value. Without a page, as in Node, it returns `value`.
 *
 * @param label - Name of the quantity, with its unit. Calls with the same label share one slider.
 * @throws {ArgumentError} If `min` is not below `max`, `step` is not positive, or `value` is not between the two.
 *
 * @example
 * ```ts
 * import { slider } from "@qkv/page";
 *
 * slider("window, in tokens", { min: 1, max: 12, value: 4 }); // => 4
 * slider("window, in tokens", { min: 1, max: 12, value: 13 }); // => throws ArgumentError
 * ```
 */
export function slider(label: string, { min, max, step = 1, value }: SliderOptions): number {
  const refuse = (argument: string, received: unknown, expected: string): never => {
    throw new ArgumentError({
      fn: "slider",
      argument,
      received,
      expected,
      fix: 'write slider("label", { min: 1, max: 12, value: 4 }).',
    });
  };
  if (![min, max].every(Number.isFinite) || min >= max) refuse("min", min, `a number below max = ${max}`);
  if (!(Number.isFinite(step) && step > 0)) refuse("step", step, "a number above 0");
  if (!(value >= min && value <= max)) refuse("value", value, `a number from ${min} to ${max}`);
  const host = currentHost();
  // An edit of the code may have changed the range since the reader moved the slider.
  const moved = host && Object.hasOwn(host.values, label) ? host.values[label] : undefined;
  const current = Math.min(max, Math.max(min, typeof moved === "number" ? moved : value));
  host?.post({ type: "slider", label, min, max, step, value: current });
  return current;
}
