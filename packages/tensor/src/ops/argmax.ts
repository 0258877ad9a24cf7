import { checkNotEmpty } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import { argExtremum } from "../arg-extremum.js";
import { reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";

export const argmaxOp = /* @__PURE__ */ argExtremum("argmax", 1);

/**
 * Index of the largest number: the first of equals, and the first NaN where there is one. No gradient flows
 * through it.
 *
 * @param options - `axis`: one axis, or several, whose places are counted row by row. Default: all. `keepDims`:
 *   default false.
 * @returns int32.
 * @throws {ShapeError} If there is no number to choose from.
 *
 * @example
 * ```ts
 * import { argmax, tensor } from "@qkv/tensor";
 *
 * argmax(tensor([[1, 5], [7, 2]]), { axis: 1 }).toNested(); // => [1, 0]
 * argmax(tensor([[1, 5], [7, 2]])).toNested(); // => 2
 * ```
 */
export function argmax(x: Tensor, options?: ReduceOptions): Tensor {
  const reduced = reducedAxes("argmax", checkTensor("argmax", "x", x), options);
  checkNotEmpty("argmax", x.shape, reduced.axes);
  return run(argmaxOp, [x], reduced);
}
