import { expandDims, mul, reshape, type Tensor } from "@qkv/tensor";

/** Products of every pair of channels: `[B, H, T, K]` as `[B, H, T, K²]`. Their dot product is the square of that of x and y. */
export function featureProducts(x: Tensor): Tensor {
  const [B, H, T, K] = x.shape as [number, number, number, number];
  return reshape(mul(expandDims(x, 4), expandDims(x, 3)), [B, H, T, K * K]);
}
