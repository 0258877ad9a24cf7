import { checkTensor, run, type Op } from "../op.js";
import { reduceOp, type ReduceOptions, reducedAxes } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { broadcastTo } from "./broadcast-to.js";
import { reshape } from "./reshape.js";

export const sumOp: Op<{ axes: readonly number[]; keepDims: boolean }> = reduceOp("sum", {
  start: 0,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) total += x[i + k * di]!;
    return total;
  },
  backward: ({ inputs: [x], gradients: [dy], attributes: { axes } }) =>
    broadcastTo(
      reshape(
        dy!,
        x!.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)),
      ),
      x!.shape,
    ),
});

/**
 * The sum over one axis, several, or all.
 *
 * @example
 * ```ts
 * import { sum, tensor } from "@qkv/tensor";
 *
 * sum(tensor([[1, 2], [3, 4]]), { axis: 0 }).toNested(); // => [4, 6]
 * sum(tensor([[1, 2], [3, 4]])).toNested(); // => 10
 * ```
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return run(sumOp, [x], reducedAxes("sum", checkTensor("sum", "x", x), options));
}
