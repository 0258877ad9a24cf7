import { checkOptions, normalizeAxis, type TypedArray } from "@qkv/core";
import { alongAxis, type AxisOptions } from "../along-axis.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";
import { sumAlong } from "./sum-to.js";

export const softmaxOp = /* @__PURE__ */ alongAxis(
  "softmax",
  (out: TypedArray, o: number, outStep: number, x: TypedArray, i: number, xStep: number, n: number) => {
    let largest = -Infinity;
    for (let k = 0; k < n; k++) largest = Math.max(largest, x[i + k * xStep]!);
    let total = 0;
    for (let k = 0; k < n; k++) total += Math.exp(x[i + k * xStep]! - largest);
    for (let k = 0; k < n; k++) out[o + k * outStep] = Math.exp(x[i + k * xStep]! - largest) / total;
  },
  ({ outputs: [y], gradients: [dy], attributes: { axis } }) => {
    const weighted = mul(dy!, y!);
    return sub(weighted, mul(y!, sumAlong(weighted, axis)));
  },
);

/**
 * `eˣ / Σ eˣ` along an axis: non-negative numbers with sum 1. The maximum is subtracted first, so that exp does not overflow.
 *
 * @param options - `axis`: default the last.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from "@qkv/tensor";
 *
 * softmax(tensor([0, 0, 1000])).toNested(); // => [0, 0, 1]
 * ```
 */
export function softmax(x: Tensor, options?: AxisOptions): Tensor {
  const { axis = -1 } = checkOptions("softmax", options, ["axis"]);
  const rank = floatTensor("softmax", "x", x).shape.length;
  return run(softmaxOp, [x], { axis: normalizeAxis("softmax", axis, rank) });
}
