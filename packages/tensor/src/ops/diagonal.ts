import { copyStrided, normalizeAxis, refuseShape, type Shape } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

type Axes = { axes: readonly [number, number] };

export const diagonalOp: Op<Axes> = {
  name: "diagonal",
  infer: ([x], { axes }) => [{ shape: along(x!.shape, axes, x!.shape[axes[0]]!), dtype: x!.dtype }],
  view: ({ strides, offset }, { axes }) => ({
    strides: along(strides, axes, strides[axes[0]]! + strides[axes[1]]!),
    offset,
  }),
  backward: ({ gradients: [dy], attributes }) => [run(onDiagonalOp, [dy!], attributes)],
};

/** The gradient of `diagonal`: puts dy on the diagonal, with zeros elsewhere. */
export const onDiagonalOp: Op<Axes> = {
  name: "onDiagonal",
  dataMovement: true,
  infer: ([x], { axes }) => {
    const shape = x!.shape.slice(0, -1);
    for (const axis of [...axes].sort((a, b) => a - b)) shape.splice(axis, 0, x!.shape.at(-1)!);
    return [{ shape, dtype: x!.dtype }];
  },
  kernel([x], [out], { axes }) {
    const strides = along(out!.strides, axes, out!.strides[axes[0]]! + out!.strides[axes[1]]!);
    copyStrided(x!, { array: out!.array, strides, offset: 0 });
  },
  backward: ({ gradients: [dy], attributes }) => [run(diagonalOp, [dy!], attributes)],
};

/** A list without two axes, and one entry for the diagonal at the end. */
function along(list: Shape, axes: Axes["axes"], last: number): number[] {
  return [...list.filter((_, axis) => !axes.includes(axis)), last];
}

/**
 * The diagonal of two axes, as a view: both axes are removed, and the diagonal is a new last axis.
 *
 * @param x - `[…, N, N]`, or with the two axes anywhere.
 * @param axisA - Default -2.
 * @param axisB - Default -1.
 * @throws {ShapeError} If the axes are the same, or differ in length.
 *
 * @example
 * ```ts
 * import { diagonal, tensor } from "@qkv/tensor";
 *
 * diagonal(tensor([[1, 2], [3, 4]])).toNested(); // => [1, 4]
 * ```
 */
export function diagonal(x: Tensor, axisA = -2, axisB = -1): Tensor {
  return diagonalFor("diagonal", x, axisA, axisB);
}

/** {@link diagonal} for a public function `fn`, which errors name. */
export function diagonalFor(fn: string, x: Tensor, axisA: number, axisB: number): Tensor {
  const { shape } = checkTensor(fn, "x", x);
  const a = normalizeAxis(fn, axisA, shape.length, "axisA");
  const b = normalizeAxis(fn, axisB, shape.length, "axisB");
  if (a === b || shape[a] !== shape[b]) {
    refuseShape(
      fn,
      "x",
      shape,
      `two axes of one length at ${axisA} and ${axisB}`,
      "`slice` the longer axis.",
    );
  }
  return run(diagonalOp, [x], { axes: [a, b] });
}
