import { add, div, maximum, mean, mul, rsqrt, square, sub, sum, zerosLike, type Tensor } from "@qkv/tensor";
import type { DecoderConfig, NormParams } from "@qkv/transformer";
import type { PartSource, ResidualPart } from "./residual-part.js";

/**
 * A norm whose scale is frozen at that of the rows x: a linear map of parts. Parts of x become parts of the normalized x; the
 * norm's shift is a part of its own.
 */
export function frozenNorm(
  config: Pick<DecoderConfig, "norm" | "normEps">,
  { weight }: NormParams,
  x: Tensor,
): (part: Tensor) => Tensor {
  const scale = normScale(config, x);
  return (part) => mul(scale ? mul(centered(config, part), scale) : part, weight);
}

/** Scales of the rows x in a norm, `[B, n, 1]`. Undefined: it has none. */
export function normScale(config: Pick<DecoderConfig, "norm" | "normEps">, x: Tensor): Tensor | undefined {
  if (config.norm === "none") return undefined;
  const variance = mean(square(centered(config, x)), { axis: -1, keepDims: true });
  return rsqrt(add(variance, config.normEps));
}

/** Rows without their mean, for the norm that subtracts it. */
export const centered = ({ norm }: Pick<DecoderConfig, "norm">, x: Tensor): Tensor =>
  norm === "layer" ? sub(x, mean(x, { axis: -1, keepDims: true })) : x;

/** Parts of x after a norm of x. */
export function throughNorm(
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
 * The factor by which a norm without a gain multiplied rows, `[…, 1]`, from the rows before and after it. Rows of zeros have
 * the factor 0.
 */
export function normFactor(before: Tensor, after: Tensor): Tensor {
  const dot = (a: Tensor, b: Tensor) => sum(mul(a, b), { axis: -1, keepDims: true });
  const size = dot(before, before);
  // 1e-30 keeps rows of zeros from a division by 0, and is below the square of any other row.
  return div(dot(before, after), maximum(size, 1e-30));
}
