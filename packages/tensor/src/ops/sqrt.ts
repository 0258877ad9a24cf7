import { unaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { div } from "./div.js";
import { mul } from "./mul.js";

export const sqrtOp = /* @__PURE__ */ unaryOp(
  "sqrt",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.sqrt(x[i + k * di]!);
  },
  ({ outputs: [y], gradients: [dy] }) => div(dy!, mul(y!, 2)),
);

/**
 * The square root of each number.
 *
 * @example
 * ```ts
 * import { sqrt, tensor } from "@qkv/tensor";
 *
 * sqrt(tensor([9])).toNested(); // => [3]
 * ```
 */
export function sqrt(x: Tensor): Tensor {
  return run(sqrtOp, [floatTensor("sqrt", "x", x)], undefined);
}
