import { checkOptions } from "@qkv/core";
import { abs } from "../ops/abs.js";
import { sub } from "../ops/sub.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, reduceLosses, type LossOptions } from "./reduce-losses.js";

/**
 * The mean absolute error: `|prediction − target|`.
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
 * import { l1Loss } from "@qkv/tensor/losses";
 *
 * l1Loss(tensor([1, 2]), tensor([1, 4]), { reduction: "sum" }).toNested(); // => 2
 * ```
 */
export function l1Loss(prediction: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const { reduction } = checkOptions("l1Loss", options, ["reduction"]);
  checkSameShape("l1Loss", { prediction }, { target });
  return reduceLosses("l1Loss", abs(sub(prediction, target)), reduction);
}
