import { permute, type Tensor } from "@qkv/tensor";

/** Transposes `[B, T, H, …]`, the layout of flash-linear-attention, to `[B, H, T, …]`; its own inverse. */
export const headsFirst = (x: Tensor): Tensor => permute(x, x.shape.length === 3 ? [0, 2, 1] : [0, 2, 1, 3]);
