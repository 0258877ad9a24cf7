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
      // Numbers from 2^52 on are integers; for infinity the remainder is NaN.
      if (rest < 0.5 || (rest === 0.5 && below % 2 === 0)) out[o + k] = below;
      else if (rest >= 0.5) out[o + k] = Math.ceil(value);
      else out[o + k] = value;
    }
  },
  () => undefined,
);

/**
 * Rounds each number to the nearest integer, ties to even. Its gradient is 0.
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
