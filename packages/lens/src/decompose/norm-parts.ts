import { add, div, maximum, mean, mul, rsqrt, square, sub, sum, zerosLike, type Tensor } from "@qkv/tensor";
import type { DecoderConfig, NormParams } from "@qkv/transformer";
import type { PartSource, ResidualPart } from "./residual-part.js";

/**
 * A norm whose scale is frozen at the scale for the rows x: a linear map from parts of x to parts of the normalized x. The
 * norm's bias is not included.
 */
export function frozenNorm(
  config: Pick<DecoderConfig, "norm" | "normEps">,
  { weight }: NormParams,
  x: Tensor,
): (part: Tensor) => Tensor {
  const scale = normScale(config, x);
  return (part) => mul(scale ? mul(centerRows(config, part), scale) : part, weight);
}

/** Scale of each row of x in a norm, `1 / √(variance + eps)`, `[B, n, 1]`. Undefined if the model has no norms. */
export function normScale(config: Pick<DecoderConfig, "norm" | "normEps">, x: Tensor): Tensor | undefined {
  if (config.norm === "none") return undefined;
  const variance = mean(square(centerRows(config, x)), { axis: -1, keepDims: true });
  return rsqrt(add(variance, config.normEps));
}

/** Rows minus their mean in a layer norm; unchanged in other norms. */
export const centerRows = ({ norm }: Pick<DecoderConfig, "norm">, x: Tensor): Tensor =>
  norm === "layer" ? sub(x, mean(x, { axis: -1, keepDims: true })) : x;

/** Parts of the normalized x from parts of x; the norm's bias is one more part. `shift`: the name of that part. */
export function partsAfterNorm(
  config: Pick<DecoderConfig, "norm" | "normEps">,
  params: NormParams,
  x: Tensor,
  parts: readonly ResidualPart[],
  shift: Omit<PartSource, "kind">,
): ResidualPart[] {
  const map = frozenNorm(config, params, x);
  const mapped = parts.map((part) => ({ ...part, value: map(part.value) }));
  if (!params.bias) return mapped;
  return [...mapped, { ...shift, kind: "bias", value: add(zerosLike(x), params.bias) }];
}

/**
 * The factor by which a norm without a gain scaled each row, `[…, 1]`, from the rows before and after it. Rows of zeros have
 * the factor 0.
 */
export function normFactor(before: Tensor, after: Tensor): Tensor {
  const dot = (a: Tensor, b: Tensor) => sum(mul(a, b), { axis: -1, keepDims: true });
  const squaredNorm = dot(before, before);
  // 1e-30 avoids a division by 0 for rows of zeros, and is below the squared norm of any other row.
  return div(dot(before, after), maximum(squaredNorm, 1e-30));
}
