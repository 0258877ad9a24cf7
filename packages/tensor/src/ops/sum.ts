import type { Shape } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import { reduceOp, type ReduceOptions, reducedAxes } from "../reduce.js";
import type { Tensor } from "../tensor.js";

// In one file: each is the other's derivative.

export const sumOp: Op<{ axes: readonly number[]; keepDims: boolean }> = /* @__PURE__ */ reduceOp("sum", {
  start: 0,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) total += x[i + k * di]!;
    return total;
  },
  backward: ({ inputs: [x], gradients: [dy], attributes: { axes } }) => broadcastReduced(dy!, x!.shape, axes),
  // The number of true elements.
  resultType: (from) => (from === "bool" ? "int32" : from),
});

/**
 * The sum over one axis, several, or all, accumulated in float64. For bools it is the number of true elements, in int32.
 *
 * @example
 * ```ts
 * import { sum, tensor } from "@qkv/tensor";
 *
 * sum(tensor([[1, 2], [3, 4]]), { axis: 0 }).toNested(); // => [4, 6]
 * sum(tensor([[1, 2], [3, 4]])).toNested(); // => 10
 * ```
 */
export function sum(x: Tensor, options?: ReduceOptions): Tensor {
  return run(sumOp, [x], reducedAxes("sum", checkTensor("sum", "x", x), options));
}

export const spreadOp: Op<{ shape: Shape; axes: readonly number[] }> = {
  name: "spread",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  view(x, { shape, axes }) {
    const keepsDims = x.shape.length === shape.length;
    let next = 0;
    const strides = shape.map((_, axis) => {
      const reduced = axes.includes(axis);
      if (keepsDims || !reduced) next++;
      return reduced ? 0 : x.strides[next - 1]!;
    });
    return { strides, offset: x.offset };
  },
  backward: ({ inputs: [x], gradients: [dy], attributes: { shape, axes } }) => [
    run(sumOp, [dy!], { axes, keepDims: x!.shape.length === shape.length }),
  ],
};

/** The result of a reduction over `axes` of `shape`, broadcast back to `shape` as a view: the backward pass of a sum. */
export function broadcastReduced(reduced: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  return run(spreadOp, [reduced], { shape, axes });
}
