import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const floorOp = /* @__PURE__ */ unaryOp(
  "floor",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.floor(x[i + k * di]!);
  },
  () => undefined,
);

/**
 * Rounds each number down to an integer. Its gradient is 0.
 *
 * @example
 * ```ts
 * import { floor, tensor } from "@qkv/tensor";
 *
 * floor(tensor([1.7, -1.2])).toNested(); // => [1, -2]
 * ```
 */
export function floor(x: Tensor): Tensor {
  return run(floorOp, [checkTensor("floor", "x", x)], undefined);
}
