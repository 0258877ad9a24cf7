import { checkNotEmpty } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import { argExtremum } from "../arg-extremum.js";
import { reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";

export const argminOp = /* @__PURE__ */ argExtremum("argmin", -1);

/**
 * Index of the smallest number: the first one if several are equal, and the first NaN if there is one. It has no gradient.
 *
 * @param options - `axis`: one axis, or several, whose indices are row-major. Default: all. `keepDims`:
 *   default false.
 * @returns int32.
 * @throws {ShapeError} If a group of numbers is empty.
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
