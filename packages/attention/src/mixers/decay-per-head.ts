import { broadcastTo, tensor, type Tensor } from "@qkv/tensor";

/** A constant decay per head, `[B, H, T, 1]`, as a view. The tensor argument has the shape `[B, H, T, …]`. */
export function decayPerHead(
  logDecay: (head: number, numHeads: number) => number,
  { shape, dtype, device }: Tensor,
): Tensor {
  const H = shape[1]!;
  const decays = Array.from({ length: H }, (_, head) => logDecay(head, H));
  return broadcastTo(tensor(decays, { shape: [1, H, 1, 1], dtype, device }), [...shape.slice(0, 3), 1]);
}
