import { checkOptions, normalizeAxis } from "@qkv/core";
import { checkBoolean } from "../check-boolean.js";
import { alongAxis } from "../along-axis.js";
import { checkTensor, run } from "../op.js";
import { stableOrder } from "../stable-order.js";
import type { Tensor } from "../tensor.js";

/** Options of sorting. */
export type SortOptions = {
  /** Default: the last. */
  axis?: number;
  /** True to sort the largest first. Default false. */
  descending?: boolean;
};

export const argSortOp = /* @__PURE__ */ alongAxis<{ axis: number; descending: boolean }>(
  "argSort",
  (out, o, outStep, x, i, xStep, n, { descending }) => {
    const values = new Float64Array(n);
    for (let k = 0; k < n; k++) values[k] = x[i + k * xStep]!;
    const order = stableOrder(values, descending);
    for (let k = 0; k < n; k++) out[o + k * outStep] = order[k]!;
  },
  undefined,
  "int32",
);

/**
 * The indices that sort the numbers along an axis. The sort is stable, and NaN is last, also in descending order.
 * It has no gradient.
 *
 * @returns int32, of the shape of `x`.
 *
 * @example
 * ```ts
 * import { argSort, tensor } from "@qkv/tensor";
 *
 * argSort(tensor([3, 1, 2])).toNested(); // => [1, 2, 0]
 * ```
 */
export function argSort(x: Tensor, options?: SortOptions): Tensor {
  const { axis = -1, descending = false } = checkOptions("argSort", options, ["axis", "descending"]);
  checkBoolean("argSort", "descending", descending);
  const at = normalizeAxis("argSort", axis, checkTensor("argSort", "x", x).shape.length);
  return run(argSortOp, [x], { axis: at, descending });
}
