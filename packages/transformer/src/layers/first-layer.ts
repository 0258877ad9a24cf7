import type { Tensor } from "@qkv/tensor";

/** Tensors that the first layer of a call stores for later layers. Empty at the start of the call. */
export type FirstLayer = {
  /** Values of the first layer, which later layers mix with their own: `[B, T, C]` in RWKV-7. */
  values?: Tensor;
};
