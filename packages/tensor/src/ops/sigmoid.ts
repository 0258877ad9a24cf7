import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

export const sigmoidOp = /* @__PURE__ */ unaryOp(
  "sigmoid",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = 1 / (1 + Math.exp(-x[i + k * di]!));
  },
  ({ outputs: [y], gradients: [dy] }) => mul(dy!, mul(y!, sub(1, y!))),
);

/**
 * The logistic sigmoid `1 / (1 + e⁻ˣ)` of each number.
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from "@qkv/tensor";
 *
 * sigmoid(tensor([0])).toNested(); // => [0.5]
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return run(sigmoidOp, [floatTensor("sigmoid", "x", x)], undefined);
}
