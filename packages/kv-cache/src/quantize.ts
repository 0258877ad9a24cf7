import { abs, cast, div, equal, max, mul, round, where, type Tensor } from "@qkv/tensor";

/** Numbers as int8 codes times a scale. */
export type Quantized = { readonly codes: Tensor; readonly scale: Tensor };

/**
 * Rows x `[B, Hkv, T, D]` as whole numbers from -127 to 127 and a scale: one for each number of a head, over the tokens
 * (`axis` 2), or one for each token, over its numbers (`axis` 3). What comes back is at most half a scale off.
 */
export function quantize(x: Tensor, axis: 2 | 3): Quantized {
  const largest = max(abs(x), { axis, keepDims: true });
  const scale = div(largest, 127);
  // A row of zeros has no scale to divide by.
  const codes = round(div(x, where(equal(scale, 0), 1, scale)));
  return { codes: cast(codes, "int8"), scale };
}

/** The numbers again. */
export function dequantize({ codes, scale }: Quantized): Tensor {
  return mul(cast(codes, scale.dtype), scale);
}
