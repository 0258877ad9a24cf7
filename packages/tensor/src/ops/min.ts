import { checkNotEmpty } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import { reduceOp, reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { castOp } from "./cast.js";
import { div } from "./div.js";
import { equal } from "./equal.js";
import { broadcastReduced } from "./sum.js";
import { mul } from "./mul.js";
import { sumAlong } from "./sum-to.js";

export const minOp = /* @__PURE__ */ reduceOp("min", {
  start: Infinity,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) total = Math.min(total, x[i + k * di]!);
    return total;
  },
  backward({ inputs: [x], outputs: [y], gradients: [dy], attributes: { axes } }) {
    const hit = run(castOp, [equal(x!, broadcastReduced(y!, x!.shape, axes))], { dtype: x!.dtype });
    return mul(hit, div(broadcastReduced(dy!, x!.shape, axes), sumAlong(hit, ...axes)));
  },
});

/**
 * The smallest number over one axis, several, or all; NaN if there is one. Equal numbers share the gradient equally.
 *
 * @param options - `axis`: default all. `keepDims`: default false.
 * @throws {ShapeError} If a group of numbers is empty.
 *
 * @example
 * ```ts
 * import { min, tensor } from "@qkv/tensor";
 *
 * min(tensor([[1, 5], [7, 2]]), { axis: 1 }).toNested(); // => [1, 2]
 * ```
 */
export function min(x: Tensor, options?: ReduceOptions): Tensor {
  const reduced = reducedAxes("min", checkTensor("min", "x", x), options);
  checkNotEmpty("min", x.shape, reduced.axes);
  return run(minOp, [x], reduced);
}
