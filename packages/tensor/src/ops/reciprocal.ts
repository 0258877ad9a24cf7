import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

export const reciprocalOp = /* @__PURE__ */ unaryOp(
  "reciprocal",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = 1 / x[i + k * di]!;
  },
  ({ outputs: [y], gradients: [dy] }) => neg(mul(dy!, mul(y!, y!))),
);

/**
 * 1 divided by each number.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { reciprocal, tensor } from "@qkv/tensor";
 *
 * reciprocal(tensor([4])).toNested(); // => [0.25]
 * ```
 */
export function reciprocal(x: Tensor): Tensor {
  return run(reciprocalOp, [floatTensor("reciprocal", "x", x)], undefined);
}
