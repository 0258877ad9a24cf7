import { checkOptions, checks } from "@qkv/core";
import { add } from "../ops/add.js";
import { minimum } from "../ops/minimum.js";
import { norm } from "../ops/norm.js";
import { relu } from "../ops/relu.js";
import { sub } from "../ops/sub.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, reduceLosses, type LossOptions } from "./reduce-losses.js";

/**
 * The triplet loss: an anchor should be closer to a positive than to a negative, by a margin:
 * `max(0, |anchor − positive| − |anchor − negative| + margin)`.
 *
 * @param anchor - `[…, D]`
 * @param positive - The shape and type of the anchor.
 * @param negative - The shape and type of the anchor.
 * @param options - `margin`: default 1. `swap`: true to use the distance between negative and positive if it is smaller
 *   than that between negative and anchor, default false. `reduction`: default `"mean"`.
 * @returns One number `[]`, or `[…]` for the reduction `"none"`.
 * @throws {ShapeError} If the shapes differ.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 * @see "FaceNet: A Unified Embedding for Face Recognition and Clustering" (2015), arXiv:1503.03832
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { tripletMarginLoss } from "@qkv/tensor/losses";
 *
 * tripletMarginLoss(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[0, 1.5]])).toNested(); // => 0.5000
 * ```
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: LossOptions & { margin?: number; swap?: boolean },
): Tensor {
  const fn = "tripletMarginLoss";
  const { margin = 1, swap = false, reduction } = checkOptions(fn, options, ["margin", "swap", "reduction"]);
  checks(fn).finite({ margin }, { min: 0 });
  checks(fn).type({ swap }, "boolean");
  checkSameShape(fn, { anchor }, { positive, negative });
  // As in PyTorch, a small number avoids distance 0, where the norm has no derivative.
  const distance = (a: Tensor, b: Tensor) => norm(add(sub(a, b), 1e-6), { axis: -1 });
  const apart = distance(anchor, negative);
  const nearest = swap ? minimum(apart, distance(positive, negative)) : apart;
  return reduceLosses(fn, relu(add(sub(distance(anchor, positive), nearest), margin)), reduction);
}
