import { checkOptions, normalizeAxis } from "@qkv/core";
import { checkBoolean } from "../check-boolean.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { argSortOp, type SortOptions } from "./arg-sort.js";
import { gatherOp } from "./gather.js";

/**
 * Sorts the numbers along an axis. NaN is last, also in descending order. The gradient goes to the original positions.
 *
 * @param options - `axis`: default the last. `descending`: default false.
 *
 * @example
 * ```ts
 * import { sort, tensor } from "@qkv/tensor";
 *
 * sort(tensor([3, 1, 2])).toNested(); // => [1, 2, 3]
 * sort(tensor([3, 1, 2]), { descending: true }).toNested(); // => [3, 2, 1]
 * ```
 */
export function sort(x: Tensor, options?: SortOptions): Tensor {
  const { axis = -1, descending = false } = checkOptions("sort", options, ["axis", "descending"]);
  checkBoolean("sort", "descending", descending);
  const at = normalizeAxis("sort", axis, checkTensor("sort", "x", x).shape.length);
  return run(gatherOp, [x, run(argSortOp, [x], { axis: at, descending })], { axis: at });
}
