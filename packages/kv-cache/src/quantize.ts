import { abs, cast, div, equal, max, mul, round, where, type Tensor } from "@qkv/tensor";

/** A quantized tensor: int8 codes, which are multiplied by a scale. */
export type Quantized = { readonly codes: Tensor; readonly scale: Tensor };

/**
 * Quantizes x `[B, Hkv, T, D]` to int8 codes from -127 to 127, by absmax: with a scale per channel, shared by the
 * tokens (`axis` 2), or a scale per token, shared by its channels (`axis` 3). The error is at most half the scale.
 */
export function quantize(x: Tensor, axis: 2 | 3): Quantized {
  const absmax = max(abs(x), { axis, keepDims: true });
  const scale = div(absmax, 127);
  // Rows of zeros have scale 0: their codes are 0 / 1.
  const codes = round(div(x, where(equal(scale, 0), 1, scale)));
  return { codes: cast(codes, "int8"), scale };
}

/** Returns codes times scale, in the type of the scale. */
export function dequantize({ codes, scale }: Quantized): Tensor {
  return mul(cast(codes, scale.dtype), scale);
}
