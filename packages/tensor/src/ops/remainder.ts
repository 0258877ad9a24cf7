import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { round } from "./round.js";
import { sub } from "./sub.js";
import { sumTo } from "./sum-to.js";

export const remainderOp = /* @__PURE__ */ binaryOp(
  "remainder",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) {
      const divisor = b[j + k * dj]!;
      const rest = a[i + k * di]! % divisor;
      out[o + k] = rest !== 0 && rest < 0 !== divisor < 0 ? rest + divisor : rest;
    }
  },
  // y = a − b ⌊a / b⌋, and the derivative of ⌊a / b⌋ is 0.
  ({ inputs: [a, b], outputs: [y], gradients: [dy], wants }) => [
    wants(0) ? sumTo(dy!, a!.shape) : undefined,
    wants(1) ? sumTo(mul(dy!, round(div(sub(y!, a!), b!))), b!.shape) : undefined,
  ],
);

/**
 * The remainder of a floor division, `a − b · ⌊a / b⌋`, with broadcasting. It has the sign of `b`, as in PyTorch, NumPy and Python.
 * It is exact except for one rounding if the signs differ. Division by 0 gives NaN, for integers 0.
 *
 * @throws {ArgumentError} If the numbers are bools, or differ in type.
 *
 * @example
 * ```ts
 * import { remainder, tensor } from "@qkv/tensor";
 *
 * remainder(tensor([5, -5]), 3).toNested(); // => [2, 1]
 * remainder(tensor([5, -5]), -3).toNested(); // => [-1, -2]
 * ```
 */
export function remainder(a: Operand, b: Operand): Tensor {
  return run(remainderOp, operands("remainder", a, b), undefined);
}
