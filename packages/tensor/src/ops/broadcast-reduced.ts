import type { Shape } from "@qkv/core";
import { run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sumOp } from "./sum.js";

export const spreadOp: Op<{ shape: Shape; axes: readonly number[] }> = {
  name: "spread",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  view(x, { shape, axes }) {
    const kept = x.shape.length === shape.length;
    let next = 0;
    const strides = shape.map((_, axis) => {
      const reduced = axes.includes(axis);
      if (kept || !reduced) next++;
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
