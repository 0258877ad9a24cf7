import { checks } from "@qkv/core";
import {
  add,
  cast,
  div,
  dropout,
  isTensor,
  linear,
  matmul,
  mul,
  norm,
  reshape,
  stopGradient,
  sub,
  type Tensor,
} from "@qkv/tensor";
import { dequantizeWeight, type QuantizedWeight } from "@qkv/tensor/quantized";
import { asFloats } from "../conversions/as-floats.js";
import { anyLinear } from "../quantization/any-linear.js";
import { isWorthMerging, mergedLinear } from "./merged-linear.js";

/**
 * A matrix W `[out, in]` with a low-rank change: `W + s B A`. With `magnitude`, rows of the sum are scaled to these
 * norms (DoRA). It replaces the matrix in params, and {@link adaptedLinear} multiplies with it.
 */
export type LowRankWeight = {
  /** W, in floats or quantized. It is frozen: it gets no gradient. */
  readonly base: Tensor | QuantizedWeight;
  /** A, `[r, in]` */
  readonly a: Tensor;
  /** B, `[out, r]` */
  readonly b: Tensor;
  /** s, the scale of B A. */
  readonly scale: number;
  /** Bias of B, `[out]`, multiplied by s. Default: none. */
  readonly offset?: Tensor;
  /** DoRA: norms of the rows, `[out]`. Default: rows are not scaled. */
  readonly magnitude?: Tensor;
  /** Dropout of the input of A. Default: none. */
  readonly dropout?: { readonly rate: number; readonly seed: number };
};

const isLowRank = (weight: unknown): weight is LowRankWeight => {
  const { base, a, b } = (weight ?? {}) as Partial<LowRankWeight>;
  return base !== undefined && isTensor(a) && isTensor(b);
};

/**
 * Computes `y = x Wᵀ + b` with any weight: a {@link LowRankWeight}, a float or a quantized matrix.
 *
 * @param map - Computes products with weights that are not adapted. Default `anyLinear()`.
 */
export function adaptedLinear(map: typeof linear = anyLinear()): typeof linear {
  checks("adaptedLinear").type({ map }, "function");
  return (x: Tensor, weight: Tensor, bias?: Tensor): Tensor => {
    const adaptedWeight: unknown = weight;
    if (!isLowRank(adaptedWeight)) return map(x, weight, bias);
    const { base, a, b, scale, offset, magnitude, dropout: dropoutOptions } = adaptedWeight;
    if (isTensor(base) && !magnitude && !dropoutOptions) {
      const added = offset && mul(offset, scale);
      const call = { x, base, a, b, scale, bias: bias && added ? add(bias, added) : (bias ?? added) };
      if (isWorthMerging(call)) return mergedLinear(call);
    }
    const dropped = dropoutOptions ? dropout(x, dropoutOptions) : x;
    const change = linear(mul(linear(dropped, a), scale), b, offset && mul(offset, scale));
    const product = (x: Tensor, bias?: Tensor) => map(x, base as Tensor, bias);
    if (!magnitude) return add(product(x, bias), change);
    // The norms of rows are constants for the gradient, as in the DoRA paper, section 4.3.
    const factor = div(
      magnitude,
      rowNorms(withChange({ ...adaptedWeight, a: stopGradient(a), b: stopGradient(b) })),
    );
    if (!dropoutOptions) {
      const y = mul(add(product(x), change), factor);
      return bias ? add(y, bias) : y;
    }
    // Dropout applies to the input of the adapter only, not of the base.
    return add(product(x, bias), add(mul(product(dropped), sub(factor, 1)), mul(change, factor)));
  };
}

/** Norms of the rows of a matrix: `[out]`. */
export const rowNorms = (weight: Tensor): Tensor => norm(weight, { axis: 1 });

/** W as a float matrix. */
export const floatMatrix = (base: Tensor | QuantizedWeight, inputs: number): Tensor =>
  isTensor(base) ? asFloats(base) : dequantizeWeight(base, inputs);

/** W + s B A. */
function withChange({ base, a, b, scale }: LowRankWeight): Tensor {
  const change = mul(matmul(b, a), scale);
  const floats = floatMatrix(base, a.shape[1]!);
  return add(floats.dtype === change.dtype ? floats : cast(floats, change.dtype), change);
}

/** The merged matrix: W + s B A, with rows scaled to the learned norms. */
export function mergedWeight(weight: LowRankWeight): Tensor {
  const sum = withChange(weight);
  if (!weight.magnitude) return sum;
  return mul(sum, reshape(div(weight.magnitude, rowNorms(sum)), [sum.shape[0]!, 1]));
}
