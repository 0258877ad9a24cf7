import { isFloat } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { abs } from "./abs.js";
import { equal } from "./equal.js";
import { less } from "./less.js";

/**
 * True where a number is neither infinite nor NaN.
 *
 * @returns A bool tensor with the shape of `x`.
 *
 * @example
 * ```ts
 * import { isFinite, tensor } from "@qkv/tensor";
 *
 * isFinite(tensor([1, NaN, -Infinity])).toNested(); // => [true, false, false]
 * ```
 */
export function isFinite(x: Tensor): Tensor {
  return isFloat(checkTensor("isFinite", "x", x).dtype) ? less(abs(x), Infinity) : equal(x, x);
}
