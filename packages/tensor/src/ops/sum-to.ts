import { addStrided, reducedShape, sameShape, type Shape, sizeOf } from "@qkv/core";
import { run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

/** Adds every number where it belongs in another shape: sums along axes that shrink to 1, repeats along those that grow. */
export const sumToOp: Op<{ shape: Shape }> = {
  name: "sumTo",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  flops: ([x]) => sizeOf(x!.shape),
  kernel([x], [out]) {
    // Many numbers may meet in one place: they are added in float64 and stored once.
    const sums = new Float64Array(out!.array.length);
    addStrided(x!, { ...out!, array: sums });
    out!.array.set(sums);
  },
  backward: ({ inputs: [x], gradients: [dy] }) => [sumTo(dy!, x!.shape)],
};

/** Sums what broadcasting repeated: the gradient's way back to an operand of a smaller shape. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : run(sumToOp, [x], { shape });
}

/** Adds up what lies along these axes, which stay with length 1. */
export function sumAlong(x: Tensor, ...axes: number[]): Tensor {
  return sumTo(x, reducedShape(x.shape, { axes, keepDims: true }));
}
