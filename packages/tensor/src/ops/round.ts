import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const roundOp = /* @__PURE__ */ unaryOp(
  "round",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) {
      const value = x[i + k * di]!;
      const below = Math.floor(value);
      const rest = value - below;
      // From 2^52 on there are no fractions, and of infinity there is no rest.
      if (rest < 0.5 || (rest === 0.5 && below % 2 === 0)) out[o + k] = below;
      else if (rest >= 0.5) out[o + k] = Math.ceil(value);
      else out[o + k] = value;
    }
  },
  () => undefined,
);

/**
 * The nearest whole number, and of two equally near ones the even one. No gradient flows through it.
 *
 * @example
 * ```ts
 * import { round, tensor } from "@qkv/tensor";
 *
 * round(tensor([0.5, 1.5, 2.5, 2.6])).toNested(); // => [0, 2, 2, 3]
 * ```
 */
export function round(x: Tensor): Tensor {
  return run(roundOp, [checkTensor("round", "x", x)], undefined);
}
