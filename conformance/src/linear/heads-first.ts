import { permute, type Tensor } from "@qkv/tensor";

/** `[B, T, H, …]`, as flash-linear-attention has it, to `[B, H, T, …]` and back. */
export const headsFirst = (x: Tensor): Tensor => permute(x, x.shape.length === 3 ? [0, 2, 1] : [0, 2, 1, 3]);
