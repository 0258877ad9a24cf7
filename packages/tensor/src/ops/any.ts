import { checkTensor, run } from "../op.js";
import { reduceOp, reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";

export const anyOp = /* @__PURE__ */ reduceOp("any", {
  start: 0,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) if (x[i + k * di]! !== 0) return 1;
    return total;
  },
  backward: () => undefined,
  resultType: () => "bool",
});

/**
 * True where any element is true, over one axis, several, or all. Numbers other than 0 are true; no elements give
 * false.
 *
 * @param options - `axis`: default all. `keepDims`: default false.
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { any, tensor } from "@qkv/tensor";
 *
 * any(tensor([[true, false], [false, false]]), { axis: 1 }).toNested(); // => [true, false]
 * ```
 */
export function any(x: Tensor, options?: ReduceOptions): Tensor {
  return run(anyOp, [x], reducedAxes("any", checkTensor("any", "x", x), options));
}
