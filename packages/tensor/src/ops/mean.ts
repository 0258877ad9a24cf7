import { sizeOf } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import { reduceOp, reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { broadcastReduced } from "./sum.js";
import { mul } from "./mul.js";

export const meanOp = /* @__PURE__ */ reduceOp("mean", {
  start: 0,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) total += x[i + k * di]!;
    return total;
  },
  finish: (total, count) => total / count,
  backward: ({ inputs: [x], outputs: [y], gradients: [dy], attributes: { axes } }) =>
    broadcastReduced(mul(dy!, sizeOf(y!.shape) / sizeOf(x!.shape)), x!.shape, axes),
});

/**
 * The mean over one axis, several, or all, accumulated in float64. The mean of no numbers is NaN.
 *
 * @param options - `axis`: default all. `keepDims`: default false.
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { mean, tensor } from "@qkv/tensor";
 *
 * mean(tensor([[1, 2], [3, 6]]), { axis: 0 }).toNested(); // => [2, 4]
 * ```
 */
export function mean(x: Tensor, options?: ReduceOptions): Tensor {
  return run(meanOp, [x], reducedAxes("mean", floatTensor("mean", "x", x), options));
}
