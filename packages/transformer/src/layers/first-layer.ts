import type { Tensor } from "@qkv/tensor";

/** Tensors of a call's first layer for the layers after it: the first layer puts them here. Empty at the start. */
export type FirstLayer = {
  /** Its values, which later layers mix with theirs: `[B, T, C]` in RWKV-7. */
  values?: Tensor;
};
