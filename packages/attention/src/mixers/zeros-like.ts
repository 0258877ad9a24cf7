import { zeros, type Shape, type Tensor } from "@qkv/tensor";

/** Zeros of the type and on the device of a tensor. */
export function zerosLike({ dtype, device }: Tensor, shape: Shape): Tensor {
  return zeros(shape, { dtype, device });
}
