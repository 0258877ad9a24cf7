import { checkOptions, normalizeAxis } from "@qkv/core";
import { checkBoolean } from "../check-boolean.js";
import { alongAxis } from "../along-axis.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";

type Direction = { readonly exclusive: boolean; readonly reverse: boolean };

export const cumsumOp = /* @__PURE__ */ alongAxis<{ axis: number } & Direction>(
  "cumsum",
  (out, o, outStep, x, i, xStep, n, { exclusive, reverse }) => {
    let total = 0;
    for (let step = 0; step < n; step++) {
      const k = reverse ? n - 1 - step : step;
      if (exclusive) out[o + k * outStep] = total;
      total += x[i + k * xStep]!;
      if (!exclusive) out[o + k * outStep] = total;
    }
  },
  ({ gradients: [dy], attributes: { axis, exclusive, reverse } }) =>
    cumsum(dy!, axis, { exclusive, reverse: !reverse }),
);

/**
 * Cumulative sum along an axis, accumulated in float64.
 *
 * @param options - `exclusive`: true to exclude each number from its own sum. Default false. `reverse`: true to sum from
 *   the end. Default false.
 *
 * @example
 * ```ts
 * import { cumsum, tensor } from "@qkv/tensor";
 *
 * cumsum(tensor([1, 2, 3]), 0).toNested(); // => [1, 3, 6]
 * cumsum(tensor([1, 2, 3]), 0, { exclusive: true }).toNested(); // => [0, 1, 3]
 * cumsum(tensor([1, 2, 3]), 0, { reverse: true }).toNested(); // => [6, 5, 3]
 * ```
 */
export function cumsum(x: Tensor, axis: number, options?: Partial<Direction>): Tensor {
  const { exclusive = false, reverse = false } = checkOptions("cumsum", options, ["exclusive", "reverse"]);
  checkBoolean("cumsum", "exclusive", exclusive);
  checkBoolean("cumsum", "reverse", reverse);
  const at = normalizeAxis("cumsum", axis, checkTensor("cumsum", "x", x).shape.length);
  return run(cumsumOp, [x], { axis: at, exclusive, reverse });
}
