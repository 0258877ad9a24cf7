import { broadcastShapes, broadcastStrides, checkShape, refuseShape, sameShape, type Shape } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sumTo } from "./sum-to.js";

export const broadcastToOp: Op<{ shape: Shape }> = {
  name: "broadcastTo",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  view: (x, { shape }) => ({ strides: broadcastStrides(shape, x.shape, x.strides), offset: x.offset }),
  backward: ({ inputs: [x], gradients: [dy] }) => [sumTo(dy!, x!.shape)],
};

/**
 * Repeats a tensor along axes of length 1, and along new axes on the left, as a view without a copy.
 *
 * @example
 * ```ts
 * import { broadcastTo, tensor } from "@qkv/tensor";
 *
 * broadcastTo(tensor([1, 2]), [2, 2]).toNested(); // => [[1, 2], [1, 2]]
 * ```
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkShape("broadcastTo", shape);
  if (sameShape(checkTensor("broadcastTo", "x", x).shape, shape)) return x;
  if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
    refuseShape(
      "broadcastTo",
      "shape",
      shape,
      `a shape that [${x.shape.join(", ")}] can be repeated to`,
      "only axes of length 1 repeat; new axes come at the left.",
    );
  }
  return run(broadcastToOp, [x], { shape });
}
