import { checkIntegers, refuseShape, sameShape, type Shape, sizeOf, stridesOf, withLength } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { contiguous } from "./contiguous.js";

export const reshapeOp: Op<{ shape: Shape }> = {
  name: "reshape",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  view: (x, { shape }) => ({ strides: stridesOf(shape), offset: x.offset }),
  backward: ({ inputs: [x], gradients: [dy] }) => [reshaped(dy!, x!.shape)],
};

/**
 * The same numbers in row-major order with another shape: a view if the strides allow it, otherwise a copy.
 *
 * @param shape - One length may be -1: it is computed from the others.
 * @throws {ShapeError} If the shapes have different numbers of elements.
 *
 * @example
 * ```ts
 * import { arange, reshape } from "@qkv/tensor";
 *
 * reshape(arange(6), [2, -1]).shape; // => [2, 3]
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const size = sizeOf(checkTensor("reshape", "x", x).shape);
  checkIntegers("reshape", "shape", shape);
  const filled = shape.includes(-1) ? resolveShape(shape, size) : shape;
  if (sizeOf(filled) !== size || !areLengths(filled)) {
    refuseShape(
      "reshape",
      "shape",
      shape,
      `a shape of ${size} elements, as [${x.shape.join(", ")}] has, with at most one -1`,
      "the product of the lengths must stay the same.",
    );
  }
  return reshaped(x, filled);
}

/** The shape with its -1 replaced by the length that gives `size` elements. The result fits no size if that is not possible. */
function resolveShape(shape: Shape, size: number): Shape {
  const axis = shape.indexOf(-1);
  return axis === shape.lastIndexOf(-1) ? withLength(shape, axis, size / -sizeOf(shape)) : shape;
}

function areLengths(shape: Shape): boolean {
  for (let axis = 0; axis < shape.length; axis++) {
    if (!Number.isInteger(shape[axis]) || shape[axis]! < 0) return false;
  }
  return true;
}

/** {@link reshape} without checks. */
export function reshaped(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : run(reshapeOp, [contiguous(x)], { shape });
}
