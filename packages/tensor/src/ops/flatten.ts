import { checkOptions, normalizeAxis, refuse, sizeOf } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { reshaped } from "./reshape.js";

/**
 * Merges adjacent axes to one.
 *
 * @param options - `start`: the first of these axes, default 0. `end`: the last one, default the last axis.
 * @throws {ArgumentError} If `start` comes after `end`.
 *
 * @example
 * ```ts
 * import { flatten, zeros } from "@qkv/tensor";
 *
 * flatten(zeros([2, 3, 4])).shape; // => [24]
 * flatten(zeros([2, 3, 4]), { start: 1 }).shape; // => [2, 12]
 * ```
 */
export function flatten(x: Tensor, options?: { start?: number; end?: number }): Tensor {
  const { start = 0, end = -1 } = checkOptions("flatten", options, ["start", "end"]);
  const { shape } = checkTensor("flatten", "x", x);
  if (shape.length === 0) return reshaped(x, [1]);
  const first = normalizeAxis("flatten", start, shape.length, "start");
  const last = normalizeAxis("flatten", end, shape.length, "end");
  if (first > last) refuse("flatten", "start", start, `an axis up to ${end}, the last one`, "exchange them.");
  return reshaped(x, [
    ...shape.slice(0, first),
    sizeOf(shape.slice(first, last + 1)),
    ...shape.slice(last + 1),
  ]);
}
