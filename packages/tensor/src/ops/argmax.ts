import { checkNotEmpty } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import { argExtremum } from "../arg-extremum.js";
import { reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";

export const argmaxOp = /* @__PURE__ */ argExtremum("argmax", 1);

/**
 * Index of the largest number: the first one if several are equal, and the first NaN if there is one. It has no gradient.
 *
 * @param options - `axis`: one axis, or several, whose indices are row-major. Default: all. `keepDims`:
 *   default false.
 * @returns int32.
 * @throws {ShapeError} If a group of numbers is empty.
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
