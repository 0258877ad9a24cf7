import { copyStrided, normalizeAxis } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

export const flipOp: Op<{ axes: readonly number[] }> = {
  name: "flip",
  dataMovement: true,
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  kernel([x], [out], { axes }) {
    const { shape, strides } = x!;
    // Reversed axes are read from their last index, with negative strides.
    const reversed = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    const last = axes.reduce((at, axis) => at + (shape[axis]! - 1) * strides[axis]!, x!.offset);
    copyStrided({ array: x!.array, shape, strides: reversed, offset: last }, out!);
  },
  backward: ({ gradients: [dy], attributes: { axes } }) => [run(flipOp, [dy!], { axes })],
};

/**
 * Reverses a tensor along one axis or several.
 *
 * @example
 * ```ts
 * import { arange, flip } from "@qkv/tensor";
 *
 * flip(arange(3), 0).toNested(); // => [2, 1, 0]
 * ```
 */
export function flip(x: Tensor, axis: number | readonly number[]): Tensor {
  const rank = checkTensor("flip", "x", x).shape.length;
  const axes = [axis].flat().map((index) => normalizeAxis("flip", index, rank));
  return run(flipOp, [x], { axes: [...new Set(axes)] });
}
