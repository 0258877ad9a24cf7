import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { equal } from "./equal.js";
import { less } from "./less.js";
import { mul } from "./mul.js";
import { sumTo } from "./sum-to.js";
import { where } from "./where.js";

export const minimumOp = /* @__PURE__ */ binaryOp(
  "minimum",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.min(a[i + k * di]!, b[j + k * dj]!);
  },
  ({ inputs: [a, b], gradients: [dy], wants }) => {
    const share = (x: Tensor, y: Tensor) =>
      sumTo(where(less(x, y), dy!, where(equal(x, y), mul(dy!, 0.5), 0)), x.shape);
    return [wants(0) ? share(a!, b!) : undefined, wants(1) ? share(b!, a!) : undefined];
  },
);

/**
 * The smaller of two numbers, elementwise, with broadcasting; NaN if one is NaN. Equal numbers each get half of the gradient.
 *
 * For the smallest along an axis see `min`.
 *
 * @example
 * ```ts
 * import { minimum, tensor } from "@qkv/tensor";
 *
 * minimum(tensor([1, 5]), 3).toNested(); // => [1, 3]
 * ```
 */
export function minimum(a: Operand, b: Operand): Tensor {
  return run(minimumOp, operands("minimum", a, b), undefined);
}
