import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { mul } from "./mul.js";

export const expm1Op = /* @__PURE__ */ unaryOp(
  "expm1",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.expm1(x[i + k * di]!);
  },
  ({ outputs: [y], gradients: [dy] }) => mul(dy!, add(y!, 1)),
);

/**
 * The exponential of each number minus 1, `e^x − 1`, accurate also for numbers close to 0.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { expm1, tensor } from "@qkv/tensor";
 *
 * expm1(tensor([0])).toNested(); // => [0]
 * ```
 */
export function expm1(x: Tensor): Tensor {
  return run(expm1Op, [floatTensor("expm1", "x", x)], undefined);
}
