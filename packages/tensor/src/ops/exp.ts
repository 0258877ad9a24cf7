import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";

export const expOp = /* @__PURE__ */ unaryOp(
  "exp",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.exp(x[i + k * di]!);
  },
  ({ outputs: [y], gradients: [dy] }) => mul(dy!, y!),
);

/**
 * e to the power of each number.
 *
 * @example
 * ```ts
 * import { exp, tensor } from "@qkv/tensor";
 *
 * exp(tensor([0])).toNested(); // => [1]
 * ```
 */
export function exp(x: Tensor): Tensor {
  return run(expOp, [floatTensor("exp", "x", x)], undefined);
}
