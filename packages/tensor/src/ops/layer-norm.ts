import { checkFloat, eachRow, sizeOf } from "@qkv/core";
import { overRows, type NormOptions } from "../norm-rows.js";
import { run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { mul } from "./mul.js";
import { rsqrt } from "./rsqrt.js";
import { sub } from "./sub.js";
import { sumAlong, sumTo } from "./sum-to.js";

/** Inputs: x `[…, n]`, then a weight `[n]`, then a bias `[n]`, or fewer. */
export const layerNormOp: Op<{ eps: number }> = {
  name: "layerNorm",
  infer: ([x]) => [{ shape: x!.shape, dtype: checkFloat("layerNorm", x!.dtype) }],
  kernel([x, weight, bias], [out], { eps }) {
    const last = x!.shape.length - 1;
    const n = x!.shape[last]!;
    const di = x!.strides[last]!;
    const [X, Y] = [x!.array, out!.array];
    const scale =
      weight &&
      Float64Array.from({ length: n }, (_, k) => weight.array[weight.offset + k * weight.strides[0]!]!);
    const shift =
      bias && Float64Array.from({ length: n }, (_, k) => bias.array[bias.offset + k * bias.strides[0]!]!);
    const strides = [out!.strides.slice(0, -1), x!.strides.slice(0, -1)];
    eachRow(x!.shape.slice(0, -1), strides, [0, x!.offset], ([o, i], [stepO, stepI], length) => {
      for (let r = 0; r < length; r++) {
        const from = i! + r * stepI!;
        const to = o! + r * stepO!;
        let total = 0;
        for (let k = 0; k < n; k++) total += X[from + k * di]!;
        const first = total / n;
        // The mean has a rounding error, so it is corrected by the mean of the differences from it.
        let [rest, squares] = [0, 0];
        for (let k = 0; k < n; k++) {
          const distance = X[from + k * di]! - first;
          rest += distance;
          squares += distance * distance;
        }
        rest /= n;
        const inverse = 1 / Math.sqrt(squares / n - rest * rest + eps);
        if (!scale) for (let k = 0; k < n; k++) Y[to + k] = (X[from + k * di]! - first - rest) * inverse;
        else if (!shift)
          for (let k = 0; k < n; k++) Y[to + k] = (X[from + k * di]! - first - rest) * inverse * scale[k]!;
        else
          for (let k = 0; k < n; k++)
            Y[to + k] = (X[from + k * di]! - first - rest) * inverse * scale[k]! + shift[k]!;
      }
    });
  },
  flops: ([x]) => 8 * sizeOf(x!.shape),
  backward({ inputs: [x, weight, bias], gradients: [dy], attributes: { eps }, wants }) {
    // With r = 1/√(variance + ε), x̂ = r (x − mean) and g = dy · weight: dx = r (g − mean g − x̂ mean(g x̂)).
    const n = x!.shape.at(-1)!;
    const mean = (t: Tensor) => mul(sumAlong(t, t.shape.length - 1), 1 / n);
    const nearly = sub(x!, mean(x!));
    const centered = sub(nearly, mean(nearly));
    const r = rsqrt(add(mean(mul(centered, centered)), eps));
    const normal = mul(centered, r);
    const g = weight ? mul(dy!, weight) : dy!;
    return [
      wants(0) ? mul(r, sub(sub(g, mean(g)), mul(normal, mean(mul(g, normal))))) : undefined,
      weight && sumTo(mul(dy!, normal), weight.shape),
      bias && sumTo(dy!, bias.shape),
    ];
  },
};

/**
 * Normalizes each row to mean 0 and variance 1, then multiplies by a learned weight and adds a learned bias:
 * `(x − mean) / √(variance + eps) · weight + bias`. The variance is the biased one, divided by n. The rounding error of the mean is
 * corrected, so that rows far from zero are accurate.
 *
 * @param x - `[…, C]`
 * @param weight - `[C]`. Default: ones.
 * @param bias - `[C]`. Default: zeros.
 * @param options - `axis`: first of the axes that form a row; weight and bias have the shape of these axes.
 *   Default -1, only the last. `eps`: default 1e-5.
 * @returns The shape of `x`.
 * @throws {ShapeError} If weight or bias have another shape than a row.
 * @see "Layer Normalization" (2016), arXiv:1607.06450
 *
 * @example
 * ```ts
 * import { layerNorm, tensor } from "@qkv/tensor";
 *
 * layerNorm(tensor([1, 3]), undefined, undefined, { eps: 0 }).toNested(); // => [-1, 1]
 * layerNorm(tensor([1, 3]), tensor([2, 2]), tensor([5, 5]), { eps: 0 }).toNested(); // => [3, 7]
 * ```
 */
export function layerNorm(x: Tensor, weight?: Tensor, bias?: Tensor, options?: NormOptions): Tensor {
  return overRows("layerNorm", x, options, { weight, bias }, (inputs, eps) =>
    run(layerNormOp, inputs, { eps }),
  );
}
