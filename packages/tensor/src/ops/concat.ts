import { copyStrided, normalizeAxis, refuse, refuseShape, withLength } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sliceOp } from "./slice-and-pad.js";

export const concatOp: Op<{ axis: number }> = {
  name: "concat",
  dataMovement: true,
  infer(inputs, { axis }) {
    const { shape, dtype } = inputs[0]!;
    const total = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    return [{ shape: withLength(shape, axis, total), dtype }];
  },
  kernel(inputs, [out], { axis }) {
    let start = 0;
    for (const x of inputs) {
      copyStrided(x, { ...out!, offset: start * out!.strides[axis]! });
      start += x.shape[axis]!;
    }
  },
  backward({ inputs, gradients: [dy], attributes: { axis } }) {
    let end = 0;
    return inputs.map((x) => {
      const start = end;
      end += x.shape[axis]!;
      return run(sliceOp, [dy!], { axis, start, end });
    });
  },
};

/**
 * Concatenates tensors along an axis.
 *
 * @example
 * ```ts
 * import { concat, tensor } from "@qkv/tensor";
 *
 * concat([tensor([1, 2]), tensor([3])], 0).toNested(); // => [1, 2, 3]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    refuse(
      "concat",
      "tensors",
      Array.isArray(tensors) ? "an empty list" : tensors,
      "one tensor or more",
      "leave the call out where there is nothing to join.",
    );
  }
  const { shape, dtype } = checkTensor("concat", "tensors[0]", tensors[0]);
  const at = normalizeAxis("concat", axis, shape.length);
  tensors.forEach((x, i) => {
    const xShape = checkTensor("concat", `tensors[${i}]`, x).shape;
    if (
      x.dtype === dtype &&
      xShape.length === shape.length &&
      xShape.every((n, a) => a === at || n === shape[a])
    )
      return;
    refuseShape(
      "concat",
      `tensors[${i}]`,
      x.dtype === dtype ? xShape : x.dtype,
      `${dtype} of the shape [${shape.map((n, a) => (a === at ? "any" : n)).join(", ")}]`,
      `all tensors must agree in type and in every axis but axis ${at}.`,
    );
  });
  return run(concatOp, tensors, { axis: at });
}
