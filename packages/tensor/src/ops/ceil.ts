import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const ceilOp = /* @__PURE__ */ unaryOp(
  "ceil",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.ceil(x[i + k * di]!);
  },
  () => undefined,
);

/**
 * Rounds each number up to an integer. Its gradient is 0.
 *
 * @example
 * ```ts
 * import { ceil, tensor } from "@qkv/tensor";
 *
 * ceil(tensor([1.2, -1.7])).toNested(); // => [2, -1]
 * ```
 */
export function ceil(x: Tensor): Tensor {
  return run(ceilOp, [checkTensor("ceil", "x", x)], undefined);
}
