import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sign } from "./sign.js";

export const absOp = /* @__PURE__ */ unaryOp(
  "abs",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.abs(x[i + k * di]!);
  },
  ({ inputs: [x], gradients: [dy] }) => mul(dy!, sign(x!)),
);

/**
 * The absolute value of each number. The gradient at 0 is 0.
 *
 * @example
 * ```ts
 * import { abs, tensor } from "@qkv/tensor";
 *
 * abs(tensor([-2, 3])).toNested(); // => [2, 3]
 * ```
 */
export function abs(x: Tensor): Tensor {
  return run(absOp, [checkTensor("abs", "x", x)], undefined);
}
