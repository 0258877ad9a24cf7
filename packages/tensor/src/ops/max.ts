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

export const maxOp = /* @__PURE__ */ reduceOp("max", {
  start: -Infinity,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) total = Math.max(total, x[i + k * di]!);
    return total;
  },
  backward({ inputs: [x], outputs: [y], gradients: [dy], attributes: { axes } }) {
    const hit = run(castOp, [equal(x!, broadcastReduced(y!, x!.shape, axes))], { dtype: x!.dtype });
    return mul(hit, div(broadcastReduced(dy!, x!.shape, axes), sumAlong(hit, ...axes)));
  },
});

/**
 * The largest number over one axis, several, or all; NaN if there is one. Equal numbers share the gradient equally.
 *
 * @param options - `axis`: default all. `keepDims`: default false.
 * @throws {ShapeError} If a group of numbers is empty.
 *
 * @example
 * ```ts
 * import { max, tensor } from "@qkv/tensor";
 *
 * max(tensor([[1, 5], [7, 2]]), { axis: 1 }).toNested(); // => [5, 7]
 * ```
 */
export function max(x: Tensor, options?: ReduceOptions): Tensor {
  const reduced = reducedAxes("max", checkTensor("max", "x", x), options);
  checkNotEmpty("max", x.shape, reduced.axes);
  return run(maxOp, [x], reduced);
}
