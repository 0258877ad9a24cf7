import { checkOptions, refuse } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import { reduceOp, reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { abs } from "./abs.js";
import { add } from "./add.js";
import { castOp } from "./cast.js";
import { div } from "./div.js";
import { equal } from "./equal.js";
import { broadcastReduced, sum } from "./sum.js";
import { max } from "./max.js";
import { mul } from "./mul.js";

export const normOp = /* @__PURE__ */ reduceOp("norm", {
  start: 0,
  row(x, i, di, n, total) {
    for (let k = 0; k < n; k++) total += x[i + k * di]! ** 2;
    return total;
  },
  finish: Math.sqrt,
  backward({ inputs: [x], outputs: [y], gradients: [dy], attributes: { axes } }) {
    // x / y. The norm of zeros has no derivative; the gradient there is 0.
    const length = add(y!, run(castOp, [equal(y!, 0)], { dtype: y!.dtype }));
    return mul(x!, broadcastReduced(div(dy!, length), x!.shape, axes));
  },
});

/**
 * The norm of vectors, over one axis, several, or all.
 *
 * @param options - `axis`: default all. `keepDims`: default false. `order`: 2 for `√Σ x²`, the default; 1 for
 *   `Σ |x|`; Infinity for the largest `|x|`.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or the order is not supported.
 *
 * @example
 * ```ts
 * import { norm, tensor } from "@qkv/tensor";
 *
 * norm(tensor([3, -4])).toNested(); // => 5
 * norm(tensor([3, -4]), { order: 1 }).toNested(); // => 7
 * ```
 */
export function norm(x: Tensor, options?: ReduceOptions & { order?: number }): Tensor {
  const { order = 2, ...reduceOptions } = checkOptions("norm", options, ["order", "axis", "keepDims"]);
  return normFor("norm", x, order, reduceOptions);
}

/** {@link norm} for a public function `fn`, which errors name. */
export function normFor(fn: string, x: Tensor, order: number, reduceOptions: ReduceOptions): Tensor {
  floatTensor(fn, "x", x);
  if (order === 2) return run(normOp, [x], reducedAxes(fn, x, reduceOptions));
  if (order === 1) return sum(abs(x), reduceOptions);
  if (order === Infinity) return max(abs(x), reduceOptions);
  refuse(
    fn,
    "order",
    order,
    "1, 2 or Infinity",
    "for another order p write `pow(sum(pow(abs(x), p)), 1 / p)`.",
  );
}
