import { checkOptions, normalizeAxis } from "@qkv/core";
import { alongAxis, type AxisOptions } from "../along-axis.js";
import { floatTensor } from "../float-tensor.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { exp } from "./exp.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";
import { sumAlong } from "./sum-to.js";

export const logSoftmaxOp = /* @__PURE__ */ alongAxis(
  "logSoftmax",
  (out, o, outStep, x, i, xStep, n) => {
    let largest = -Infinity;
    for (let k = 0; k < n; k++) largest = Math.max(largest, x[i + k * xStep]!);
    let total = 0;
    for (let k = 0; k < n; k++) total += Math.exp(x[i + k * xStep]! - largest);
    const log = Math.log(total);
    for (let k = 0; k < n; k++) out[o + k * outStep] = x[i + k * xStep]! - largest - log;
  },
  ({ outputs: [y], gradients: [dy], attributes: { axis } }) => sub(dy!, mul(exp(y!), sumAlong(dy!, axis))),
);

/**
 * The logarithm of `softmax` along an axis, `x − log Σ eˣ`, without computing the softmax, so that it is
 * accurate for small probabilities.
 *
 * @param options - `axis`: default the last.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from "@qkv/tensor";
 *
 * logSoftmax(tensor([1000, 0])).toNested(); // => [0, -1000]
 * ```
 */
export function logSoftmax(x: Tensor, options?: AxisOptions): Tensor {
  const { axis = -1 } = checkOptions("logSoftmax", options, ["axis"]);
  const rank = floatTensor("logSoftmax", "x", x).shape.length;
  return run(logSoftmaxOp, [x], { axis: normalizeAxis("logSoftmax", axis, rank) });
}
