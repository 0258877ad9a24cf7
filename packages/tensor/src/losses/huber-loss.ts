import { checkOptions, checks } from "@qkv/core";
import { abs } from "../ops/abs.js";
import { minimum } from "../ops/minimum.js";
import { mul } from "../ops/mul.js";
import { sub } from "../ops/sub.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, reduceLosses, type LossOptions } from "./reduce-losses.js";

/**
 * The Huber loss: half the squared error up to an error of `delta`, and linear above, so that outliers have less weight.
 *
 * @param prediction - `[…]`
 * @param target - The shape and type of the prediction.
 * @param options - `delta`: above 0, default 1. `reduction`: default `"mean"`. Divided by `delta` it is PyTorch's
 *   `smooth_l1_loss`.
 * @returns One number `[]`, or `[…]` for the reduction `"none"`.
 * @throws {ShapeError} If the shapes differ.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 * @see "Robust Estimation of a Location Parameter" (1964), doi:10.1214/aoms/1177703732
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { huberLoss } from "@qkv/tensor/losses";
 *
 * huberLoss(tensor([1, 4]), tensor([0, 0]), { reduction: "none" }).toNested(); // => [0.5, 3.5]
 * ```
 */
export function huberLoss(
  prediction: Tensor,
  target: Tensor,
  options?: LossOptions & { delta?: number },
): Tensor {
  const { delta = 1, reduction } = checkOptions("huberLoss", options, ["delta", "reduction"]);
  checks("huberLoss").finite({ delta }, { above: 0 });
  checkSameShape("huberLoss", { prediction }, { target });
  const error = abs(sub(prediction, target));
  const clipped = minimum(error, delta);
  return reduceLosses("huberLoss", mul(clipped, sub(error, mul(clipped, 0.5))), reduction);
}
