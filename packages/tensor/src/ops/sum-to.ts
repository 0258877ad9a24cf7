import { addStrided, reducedShape, sameShape, type Shape, sizeOf } from "@qkv/core";
import { run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

/** Sums along axes whose length becomes 1 in the new shape, and repeats along axes that grow. */
export const sumToOp: Op<{ shape: Shape }> = {
  name: "sumTo",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  flops: ([x]) => sizeOf(x!.shape),
  kernel([x], [out]) {
    // Sums are accumulated in float64 and rounded once.
    const sums = new Float64Array(out!.array.length);
    addStrided(x!, { ...out!, array: sums });
    out!.array.set(sums);
  },
  backward: ({ inputs: [x], gradients: [dy] }) => [sumTo(dy!, x!.shape)],
};

/** Sums over broadcast axes: the gradient of an operand that was broadcast from `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : run(sumToOp, [x], { shape });
}

/** Sums along axes, which keep length 1. */
export function sumAlong(x: Tensor, ...axes: number[]): Tensor {
  return sumTo(x, reducedShape(x.shape, { axes, keepDims: true }));
}
