import { broadcastTo, tensor, type Tensor } from "@qkv/tensor";

/** The same decay at every token, one for each head: `[B, H, T, 1]` for tensors `[B, H, T, …]`. */
export function decayPerHead(
  decayOf: (head: number, numHeads: number) => number,
  { shape, dtype, device }: Tensor,
): Tensor {
  const H = shape[1]!;
  const decays = Array.from({ length: H }, (_, head) => decayOf(head, H));
  return broadcastTo(tensor(decays, { shape: [1, H, 1, 1], dtype, device }), [...shape.slice(0, 3), 1]);
}
