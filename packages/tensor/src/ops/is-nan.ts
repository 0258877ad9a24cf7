import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { notEqual } from "./not-equal.js";

/**
 * True where a number is NaN.
 *
 * @returns A bool tensor with the shape of `x`.
 *
 * @example
 * ```ts
 * import { isNaN, tensor } from "@qkv/tensor";
 *
 * isNaN(tensor([1, NaN, Infinity])).toNested(); // => [false, true, false]
 * ```
 */
export function isNaN(x: Tensor): Tensor {
  return notEqual(checkTensor("isNaN", "x", x), x);
}
