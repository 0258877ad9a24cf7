import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { equal } from "./equal.js";
import { greater } from "./greater.js";
import { mul } from "./mul.js";
import { sumTo } from "./sum-to.js";
import { where } from "./where.js";

export const maximumOp = /* @__PURE__ */ binaryOp(
  "maximum",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.max(a[i + k * di]!, b[j + k * dj]!);
  },
  ({ inputs: [a, b], gradients: [dy], wants }) => {
    const share = (x: Tensor, y: Tensor) =>
      sumTo(where(greater(x, y), dy!, where(equal(x, y), mul(dy!, 0.5), 0)), x.shape);
    return [wants(0) ? share(a!, b!) : undefined, wants(1) ? share(b!, a!) : undefined];
  },
);

/**
 * The larger of two numbers, elementwise, with broadcasting; NaN if one is NaN. Equal numbers each get half of the gradient.
 *
 * For the largest along an axis see `max`.
 *
 * @example
 * ```ts
 * import { maximum, tensor } from "@qkv/tensor";
 *
 * maximum(tensor([1, 5]), 3).toNested(); // => [3, 5]
 * ```
 */
export function maximum(a: Operand, b: Operand): Tensor {
  return run(maximumOp, operands("maximum", a, b), undefined);
}
