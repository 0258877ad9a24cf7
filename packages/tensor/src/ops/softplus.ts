import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sigmoid } from "./sigmoid.js";

export const softplusOp = /* @__PURE__ */ unaryOp(
  "softplus",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      // exp is at most 1, so it does not overflow, and small results are accurate.
      out[o + k] = Math.max(0, value) + Math.log1p(Math.exp(-Math.abs(value)));
    }
  },
  ({ inputs: [x], gradients: [dy] }) => mul(dy!, sigmoid(x!)),
);

/**
 * `log(1 + eˣ)`, elementwise: a smooth ReLU.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { softplus, tensor } from "@qkv/tensor";
 *
 * softplus(tensor([-1000, 1000])).toNested(); // => [0, 1000]
 * ```
 */
export function softplus(x: Tensor): Tensor {
  return run(softplusOp, [floatTensor("softplus", "x", x)], undefined);
}
