import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const negOp = /* @__PURE__ */ unaryOp(
  "neg",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = -x[i + k * di]!;
  },
  ({ gradients: [dy] }) => neg(dy!),
);

/**
 * The negative of each number.
 *
 * @example
 * ```ts
 * import { neg, tensor } from "@qkv/tensor";
 *
 * neg(tensor([1, -2])).toNested(); // => [-1, 2]
 * ```
 */
export function neg(x: Tensor): Tensor {
  return run(negOp, [checkTensor("neg", "x", x)], undefined);
}
