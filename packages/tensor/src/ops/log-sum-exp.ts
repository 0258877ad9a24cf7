import { eachGroup, eachRow, type Reduced, reducedShape, sizeOf } from "@qkv/core";
import { binaryOp } from "../elementwise.js";
import { floatTensor } from "../float-tensor.js";
import { run, type Op } from "../op.js";
import { reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { broadcastReduced } from "./sum.js";
import { mul } from "./mul.js";
import { sumTo } from "./sum-to.js";

export const logSumExpOp: Op<Reduced> = {
  name: "logSumExp",
  infer: ([x], reduced) => [{ shape: reducedShape(x!.shape, reduced), dtype: x!.dtype }],
  flops: ([x]) => 3 * sizeOf(x!.shape),
  kernel([x], [out], { axes }) {
    const array = x!.array;
    eachGroup(x!, axes, ({ at, shape, strides }, o) => {
      let largest = -Infinity;
      eachRow(shape, [strides], [at], ([i], [di], n) => {
        for (let k = 0; k < n; k++) largest = Math.max(largest, array[i! + k * di!]!);
      });
      // If the maximum is infinite or NaN, it is the result.
      const shift = Math.abs(largest) === Infinity ? 0 : largest;
      let total = 0;
      eachRow(shape, [strides], [at], ([i], [di], n) => {
        for (let k = 0; k < n; k++) total += Math.exp(array[i! + k * di!]! - shift);
      });
      out!.array[o] = shift + Math.log(total);
    });
  },
  backward({ inputs: [x], outputs: [y], gradients: [dy], attributes: { axes } }) {
    const weights = run(softmaxFromSumOp, [x!, broadcastReduced(y!, x!.shape, axes)], undefined);
    return [mul(broadcastReduced(dy!, x!.shape, axes), weights)];
  },
};

/** Softmax of x from its log-sum-exp y: `eˣ⁻ʸ`; zeros if all x are -∞. */
export const softmaxFromSumOp = /* @__PURE__ */ binaryOp(
  "shares",
  (out, o, x, i, di, y, j, dj, n) => {
    for (let k = 0; k < n; k++) {
      const shift = y[j + k * dj]!;
      out[o + k] = shift === -Infinity ? 0 : Math.exp(x[i + k * di]! - shift);
    }
  },
  ({ inputs: [, y], outputs: [weights], gradients: [dy] }) => {
    const dx = mul(dy!, weights!);
    return [dx, sumTo(mul(dx, -1), y!.shape)];
  },
);

/**
 * `log Σ eˣ` over one axis, several, or all. The maximum is subtracted first, so that exp does not overflow. Without numbers, and if
 * all are −∞, it is −∞.
 *
 * @param options - `axis`: default all. `keepDims`: default false.
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { logSumExp, tensor } from "@qkv/tensor";
 *
 * logSumExp(tensor([1000, -Infinity])).toNested(); // => 1000
 * ```
 */
export function logSumExp(x: Tensor, options?: ReduceOptions): Tensor {
  return run(logSumExpOp, [x], reducedAxes("logSumExp", floatTensor("logSumExp", "x", x), options));
}
