import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const signOp = /* @__PURE__ */ unaryOp(
  "sign",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.sign(x[i + k * di]!);
  },
  () => undefined,
);

/**
 * The sign of each number: -1, 0 or 1; NaN for NaN. Its gradient is 0.
 *
 * @example
 * ```ts
 * import { sign, tensor } from "@qkv/tensor";
 *
 * sign(tensor([-2, 0, 3])).toNested(); // => [-1, 0, 1]
 * ```
 */
export function sign(x: Tensor): Tensor {
  return run(signOp, [checkTensor("sign", "x", x)], undefined);
}
