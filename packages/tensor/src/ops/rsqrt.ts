import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";

export const rsqrtOp = /* @__PURE__ */ unaryOp(
  "rsqrt",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = 1 / Math.sqrt(x[i + k * di]!);
  },
  ({ outputs: [y], gradients: [dy] }) => mul(dy!, mul(mul(y!, -0.5), mul(y!, y!))),
);

/**
 * 1 divided by the square root of each number.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { rsqrt, tensor } from "@qkv/tensor";
 *
 * rsqrt(tensor([4])).toNested(); // => [0.5]
 * ```
 */
export function rsqrt(x: Tensor): Tensor {
  return run(rsqrtOp, [floatTensor("rsqrt", "x", x)], undefined);
}
