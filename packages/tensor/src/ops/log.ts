import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { div } from "./div.js";

export const logOp = /* @__PURE__ */ unaryOp(
  "log",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.log(x[i + k * di]!);
  },
  ({ inputs: [x], gradients: [dy] }) => div(dy!, x!),
);

/**
 * The natural logarithm of each number.
 *
 * @example
 * ```ts
 * import { log, tensor } from "@qkv/tensor";
 *
 * log(tensor([1])).toNested(); // => [0]
 * ```
 */
export function log(x: Tensor): Tensor {
  return run(logOp, [floatTensor("log", "x", x)], undefined);
}
