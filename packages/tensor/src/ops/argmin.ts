import { checkNotEmpty } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import { argExtremum } from "../arg-extremum.js";
import { reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";

export const argminOp = /* @__PURE__ */ argExtremum("argmin", -1);

/**
 * Index of the smallest number: the first of equals, and the first NaN where there is one. No gradient flows
 * through it.
 *
 * @param options - `axis`: one axis, or several, whose places are counted row by row. Default: all. `keepDims`:
 *   default false.
 * @returns int32.
 * @throws {ShapeError} If there is no number to choose from.
 *
 * @example
 * ```ts
 * import { argmin, tensor } from "@qkv/tensor";
 *
 * argmin(tensor([[1, 5], [7, 2]]), { axis: 1 }).toNested(); // => [0, 1]
 * argmin(tensor([[1, 5], [7, 2]])).toNested(); // => 0
 * ```
 */
export function argmin(x: Tensor, options?: ReduceOptions): Tensor {
  const reduced = reducedAxes("argmin", checkTensor("argmin", "x", x), options);
  checkNotEmpty("argmin", x.shape, reduced.axes);
  return run(argminOp, [x], reduced);
}
