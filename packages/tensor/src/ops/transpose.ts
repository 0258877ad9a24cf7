import { normalizeAxis } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { permuteOp } from "./permute.js";

/** Exchanges two axes, as a view. Default: the last two. */
export function transpose(x: Tensor, axisA = -2, axisB = -1): Tensor {
  const rank = checkTensor("transpose", "x", x).shape.length;
  const a = normalizeAxis("transpose", axisA, rank, "axisA");
  const b = normalizeAxis("transpose", axisB, rank, "axisB");
  const axes = x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  return run(permuteOp, [x], { axes });
}

/** Exchanges the last two axes, without checks. */
export function transposed(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  return run(permuteOp, [x], {
    axes: x.shape.map((_, axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis)),
  });
}
