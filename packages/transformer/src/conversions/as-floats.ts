import { isPacked } from "@qkv/core";
import { cast, type Tensor } from "@qkv/tensor";

/** Converts 16-bit tensors to float32. Other tensors are returned unchanged. */
export const asFloats = (x: Tensor): Tensor => (isPacked(x.dtype) ? cast(x, "float32") : x);
