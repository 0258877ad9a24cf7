import { broadcastShapes, checkOptions, refuseShape, sameShape } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { add } from "../ops/add.js";
import { mul } from "../ops/mul.js";
import { neg } from "../ops/neg.js";
import { softplus } from "../ops/softplus.js";
import { sub } from "../ops/sub.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, reduceLosses, type LossOptions } from "./reduce-losses.js";

/** Options of the binary cross-entropy. */
export type BinaryCrossEntropyOptions = LossOptions & {
  /** Weight of each loss; broadcasts to the shape of the logits. Default: ones. */
  weight?: Tensor;
  /** Weight of the term with `target` (PyTorch's `pos_weight`); broadcasts to the shape of the logits. Above 1 it favours recall. Default: ones. */
  positiveWeight?: Tensor;
};

const fn = "binaryCrossEntropyWithLogits";

/** Checks that a weight broadcasts to the shape of the logits; a larger one would repeat the losses. */
function checkWeight(argument: string, value: Tensor, { shape }: Tensor): Tensor {
  const weight = floatTensor(fn, argument, value);
  if (sameShape(broadcastShapes(fn, weight.shape, shape), shape)) return weight;
  const expected = `a shape that repeats to that of the logits, [${shape.join(", ")}]`;
  return refuseShape(
    fn,
    argument,
    weight.shape,
    expected,
    "`expandDims` the logits and the target, or `slice` it.",
  );
}

/**
 * The binary cross-entropy of independent labels, in nats:
 * `−target · log sigmoid(logit) − (1 − target) · log(1 − sigmoid(logit))`, without overflow for any logit.
 *
 * @param logits - `[…]`, before the sigmoid.
 * @param target - Of the shape and type of the logits, each from 0 to 1.
 * @param options - `weight`, `positiveWeight`: default ones. `reduction`: default `"mean"`, over all places.
 * @returns One number `[]`, or `[…]` for the reduction `"none"`.
 * @throws {ShapeError} If the shapes differ, or a weight would repeat the losses.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { binaryCrossEntropyWithLogits } from "@qkv/tensor/losses";
 *
 * binaryCrossEntropyWithLogits(tensor([0, 1000]), tensor([1, 1])).toNested(); // => 0.34657
 * ```
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  target: Tensor,
  options?: BinaryCrossEntropyOptions,
): Tensor {
  const { weight, positiveWeight, reduction } = checkOptions(fn, options, [
    "weight",
    "positiveWeight",
    "reduction",
  ]);
  checkSameShape(fn, { logits }, { target });
  // −log sigmoid(x) = softplus(−x), and −log(1 − sigmoid(x)) = x + softplus(−x).
  let asked = softplus(neg(logits));
  if (positiveWeight !== undefined) {
    const more = sub(checkWeight("positiveWeight", positiveWeight, logits), 1);
    asked = mul(asked, add(mul(more, target), 1));
  }
  const losses = add(mul(sub(1, target), logits), asked);
  const weighted = weight === undefined ? losses : mul(losses, checkWeight("weight", weight, logits));
  return reduceLosses(fn, weighted, reduction);
}
