import { expandDims, mul, reshape, type Tensor } from "@qkv/tensor";

/** Products of all pairs of channels: `[B, H, T, K]` to `[B, H, T, K²]`. The dot product of two results is (x · y)². */
export function featureProducts(x: Tensor): Tensor {
  const [B, H, T, K] = x.shape as [number, number, number, number];
  return reshape(mul(expandDims(x, 4), expandDims(x, 3)), [B, H, T, K * K]);
}
