import { normalizeAxis, refuse } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { concat } from "./concat.js";
import { slice } from "./slice-and-pad.js";

/**
 * Shifts elements along an axis circularly.
 *
 * @param shift - Number of positions, towards the end; negative towards the start.
 *
 * @example
 * ```ts
 * import { arange, roll } from "@qkv/tensor";
 *
 * roll(arange(4), 1, 0).toNested(); // => [3, 0, 1, 2]
 * ```
 */
export function roll(x: Tensor, shift: number, axis: number): Tensor {
  const at = normalizeAxis("roll", axis, checkTensor("roll", "x", x).shape.length);
  if (!Number.isInteger(shift)) {
    refuse("roll", "shift", shift, "an integer number of elements", "round it first.");
  }
  const length = x.shape[at]!;
  const places = length === 0 ? 0 : ((shift % length) + length) % length;
  return places === 0 ? x : concat([slice(x, at, length - places), slice(x, at, 0, length - places)], at);
}
