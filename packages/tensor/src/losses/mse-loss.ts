import { checkOptions } from "@qkv/core";
import { square } from "../ops/square.js";
import { sub } from "../ops/sub.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, reduceLosses, type LossOptions } from "./reduce-losses.js";

/**
 * The mean squared error: `(prediction − target)²`.
 *
 * @param prediction - `[…]`
 * @param target - The shape and type of the prediction.
 * @param options - `reduction`: default `"mean"`.
 * @returns One number `[]`, or `[…]` for the reduction `"none"`.
 * @throws {ShapeError} If the shapes differ.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { mseLoss } from "@qkv/tensor/losses";
 *
 * mseLoss(tensor([1, 2]), tensor([1, 4])).toNested(); // => 2
 * ```
 */
export function mseLoss(prediction: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const { reduction } = checkOptions("mseLoss", options, ["reduction"]);
  checkSameShape("mseLoss", { prediction }, { target });
  return reduceLosses("mseLoss", square(sub(prediction, target)), reduction);
}
