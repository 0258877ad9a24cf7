import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

export const tanhOp = /* @__PURE__ */ unaryOp(
  "tanh",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.tanh(x[i + k * di]!);
  },
  ({ outputs: [y], gradients: [dy] }) => mul(dy!, sub(1, mul(y!, y!))),
);

/**
 * The hyperbolic tangent of each number.
 *
 * @example
 * ```ts
 * import { tanh, tensor } from "@qkv/tensor";
 *
 * tanh(tensor([0])).toNested(); // => [0]
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return run(tanhOp, [floatTensor("tanh", "x", x)], undefined);
}
