import { permute, reshape, type Tensor } from "@qkv/tensor";

/** Makes each channel a head, for gates per value channel: `[B, H, T, V]` to `[B, H · V, T, 1]`. */
export function channelsAsHeads(x: Tensor): Tensor {
  const [B, H, T, V] = x.shape as [number, number, number, number];
  return reshape(permute(x, [0, 1, 3, 2]), [B, H * V, T, 1]);
}

/** The inverse of {@link channelsAsHeads}: `[B, H · V, T, 1]` to `[B, H, T, V]`. */
export function headsAsChannels(x: Tensor, numChannels: number): Tensor {
  const [B, heads, T] = x.shape as [number, number, number];
  return permute(reshape(x, [B, heads / numChannels, numChannels, T]), [0, 1, 3, 2]);
}
