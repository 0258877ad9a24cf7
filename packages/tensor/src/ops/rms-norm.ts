import { ShapeError } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import { eachRow } from "../rows.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { div } from "./div.js";
import { add } from "./add.js";
import { sqrt } from "./sqrt.js";
import { sub } from "./sub.js";
import { sum } from "./sum.js";
import { sumTo } from "./sum-to.js";

export const rmsNormOp: Op<{ eps: number }> = {
  name: "rmsNorm",
  infer([x, weight]) {
    const length = x!.shape.at(-1);
    if (x!.shape.length === 0 || weight!.shape.length !== 1 || weight!.shape[0] !== length) {
      throw new ShapeError({
        fn: "rmsNorm",
        argument: "weight",
        received: weight!.shape,
        expected: `[${length ?? "C"}], the length of the last axis of x, which is [${x!.shape.join(", ")}]`,
        fix: "the norm goes over the last axis, and the weight has one number for each place on it.",
      });
    }
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
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
  backward({ inputs: [x, weight], gradients: [dy], attributes: { eps } }) {
    // With r = 1/√(mean x² + ε): dx = r (g − x r² mean(g x)), where g = dy · weight.
    const n = x!.shape.at(-1)!;
    const mean = (t: Tensor) => div(sum(t, { axis: -1, keepDims: true }), n);
    const r = div(1, sqrt(add(mean(mul(x!, x!)), eps)));
    const g = mul(dy!, weight!);
    const dx = mul(r, sub(g, mul(mul(x!, mul(r, r)), mean(mul(g, x!)))));
    return [dx, sumTo(mul(dy!, mul(x!, r)), weight!.shape)];
  },
};

/**
 * Divides each row by its root mean square and multiplies by a learned weight: `x / √(mean x² + eps) · weight`,
 * over the last axis.
 *
 * @param x - `[…, C]`
 * @param weight - `[C]`
 * @param options - `eps`: default 1e-5.
 * @returns `[…, C]`
 * @throws {ShapeError} If the weight is not as long as the last axis.
 * @see "Root Mean Square Layer Normalization" (2019), arXiv:1910.07467
 *
 * @example
 * ```ts
 * import { ones, rmsNorm, tensor } from "@qkv/tensor";
 *
 * rmsNorm(tensor([3, -3]), ones([2]), { eps: 0 }).toNested(); // => [1, -1]
 * ```
 */
export function rmsNorm(x: Tensor, weight: Tensor, { eps = 1e-5 }: { eps?: number } = {}): Tensor {
  return run(rmsNormOp, [checkTensor("rmsNorm", "x", x), checkTensor("rmsNorm", "weight", weight)], { eps });
}
