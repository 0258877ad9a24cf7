import { isPacked } from "@qkv/core";
import { cast, type Tensor } from "@qkv/tensor";

/** A tensor of 16 bits widened to float32, others as they are. */
export const asFloats = (x: Tensor): Tensor => (isPacked(x.dtype) ? cast(x, "float32") : x);
