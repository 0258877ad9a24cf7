import { checkFloat, eachRow, sizeOf } from "@qkv/core";
import { overRows, type NormOptions } from "../norm-rows.js";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { add } from "./add.js";
import { rsqrt } from "./rsqrt.js";
import { sub } from "./sub.js";
import { sumAlong, sumTo } from "./sum-to.js";

export const rmsNormOp: Op<{ eps: number }> = {
  name: "rmsNorm",
  infer: (inputs) => [{ shape: inputs[0]!.shape, dtype: checkFloat("rmsNorm", inputs[0]!.dtype) }],
  kernel([x, weight], [out], { eps }) {
    const last = x!.shape.length - 1;
    const n = x!.shape[last]!;
    const di = x!.strides[last]!;
    const [dw] = weight!.strides as [number];
    const [X, W, Y] = [x!.array, weight!.array, out!.array];
    const strides = [out!.strides.slice(0, -1), x!.strides.slice(0, -1)];
    eachRow(x!.shape.slice(0, -1), strides, [0, x!.offset], ([o, i], [stepO, stepI], length) => {
      for (let r = 0; r < length; r++) {
        const from = i! + r * stepI!;
        const to = o! + r * stepO!;
        let squares = 0;
        for (let k = 0; k < n; k++) squares += X[from + k * di]! ** 2;
        const scale = 1 / Math.sqrt(squares / n + eps);
        for (let k = 0; k < n; k++) Y[to + k] = X[from + k * di]! * scale * W[weight!.offset + k * dw]!;
      }
    });
  },
  flops: ([x]) => 4 * sizeOf(x!.shape),
  backward({ inputs: [x, weight], gradients: [dy], attributes: { eps } }) {
    // With r = 1/√(mean x² + ε): dx = r (g − x r² mean(g x)), where g = dy · weight.
    const n = x!.shape.at(-1)!;
    const mean = (t: Tensor) => mul(sumAlong(t, t.shape.length - 1), 1 / n);
    const r = rsqrt(add(mean(mul(x!, x!)), eps));
    const g = mul(dy!, weight!);
    const dx = mul(r, sub(g, mul(mul(x!, mul(r, r)), mean(mul(g, x!)))));
    return [dx, sumTo(mul(dy!, mul(x!, r)), weight!.shape)];
  },
};

/**
 * Divides each row by its root mean square and multiplies by a learned weight: `x / √(mean x² + eps) · weight`.
 *
 * @param x - `[…, C]`
 * @param weight - `[C]`
 * @param options - `axis`: first of the axes that form a row; the weight has the shape of these axes. Default
 *   -1, only the last. `eps`: default 1e-5.
 * @returns The shape of `x`.
 * @throws {ShapeError} If the weight has another shape than a row.
 * @see "Root Mean Square Layer Normalization" (2019), arXiv:1910.07467
 *
 * @example
 * ```ts
 * import { ones, rmsNorm, tensor } from "@qkv/tensor";
 *
 * rmsNorm(tensor([3, -3]), ones([2]), { eps: 0 }).toNested(); // => [1, -1]
 * ```
 */
export function rmsNorm(x: Tensor, weight: Tensor, options?: NormOptions): Tensor {
  const params = { weight: checkTensor("rmsNorm", "weight", weight) };
  return overRows("rmsNorm", x, options, params, (inputs, eps) => run(rmsNormOp, inputs, { eps }));
}
