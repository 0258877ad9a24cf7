import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { div } from "./div.js";

export const log1pOp = /* @__PURE__ */ unaryOp(
  "log1p",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.log1p(x[i + k * di]!);
  },
  ({ inputs: [x], gradients: [dy] }) => div(dy!, add(x!, 1)),
);

/**
 * The natural logarithm of 1 plus each number, accurate also for numbers close to 0.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { log1p, tensor } from "@qkv/tensor";
 *
 * log1p(tensor([0])).toNested(); // => [0]
 * ```
 */
export function log1p(x: Tensor): Tensor {
  return run(log1pOp, [floatTensor("log1p", "x", x)], undefined);
}
