import { checkTensor, run } from "../op.js";
import { reduceOp, reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";

export const allOp = /* @__PURE__ */ reduceOp("all", {
  start: 1,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) if (x[i + k * di]! === 0) return 0;
    return total;
  },
  backward: () => undefined,
  resultType: () => "bool",
});

/**
 * True if all elements are true, over one axis, several, or all. Numbers other than 0 are true; no elements give true.
 *
 * @param options - `axis`: default all. `keepDims`: default false.
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { all, tensor } from "@qkv/tensor";
 *
 * all(tensor([[true, false], [true, true]]), { axis: 1 }).toNested(); // => [false, true]
 * ```
 */
export function all(x: Tensor, options?: ReduceOptions): Tensor {
  return run(allOp, [x], reducedAxes("all", checkTensor("all", "x", x), options));
}
