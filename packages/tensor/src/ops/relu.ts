import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { greater } from "./greater.js";
import { where } from "./where.js";

export const reluOp = /* @__PURE__ */ unaryOp(
  "relu",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.max(0, x[i + k * di]!);
  },
  ({ inputs: [x], gradients: [dy] }) => where(greater(x!, 0), dy!, 0),
);

/**
 * The rectified linear unit: the larger of each number and 0. The gradient at 0 is 0.
 *
 * @example
 * ```ts
 * import { relu, tensor } from "@qkv/tensor";
 *
 * relu(tensor([-1, 2])).toNested(); // => [0, 2]
 * ```
 */
export function relu(x: Tensor): Tensor {
  return run(reluOp, [checkTensor("relu", "x", x)], undefined);
}
