import { checkIntegers, normalizeAxis, refuse } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

export const permuteOp: Op<{ axes: readonly number[] }> = {
  name: "permute",
  infer: ([x], { axes }) => [{ shape: axes.map((axis) => x!.shape[axis]!), dtype: x!.dtype }],
  view: (x, { axes }) => ({ strides: axes.map((axis) => x.strides[axis]!), offset: x.offset }),
  backward: ({ gradients: [dy], attributes: { axes } }) => [
    run(permuteOp, [dy!], { axes: axes.map((_, axis) => axes.indexOf(axis)) }),
  ],
};

/**
 * Permutes the axes, as a view: axis `i` of the result is axis `axes[i]` of `x`.
 *
 * @example
 * ```ts
 * import { permute, zeros } from "@qkv/tensor";
 *
 * permute(zeros([2, 3, 5]), [2, 0, 1]).shape; // => [5, 2, 3]
 * ```
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const rank = checkTensor("permute", "x", x).shape.length;
  checkIntegers("permute", "axes", axes);
  const normal = axes.map((axis) => normalizeAxis("permute", axis, rank, "axes"));
  if (normal.length !== rank || new Set(normal).size !== rank) {
    refuse(
      "permute",
      "axes",
      axes.join(", "),
      `each of the ${rank} axes once`,
      "list every axis of the tensor in its new order.",
    );
  }
  return run(permuteOp, [x], { axes: normal });
}
