import { allocateArray, type DType, type Shape, sizeOf, type TypedArray } from "@qkv/core";
import { Tensor } from "./tensor.js";

/** A tensor of a new array, on the device of another tensor. */
export function tensorLike(
  array: TypedArray,
  shape: Shape,
  dtype: DType,
  { device }: Pick<Tensor, "device">,
): Tensor {
  return new Tensor(device, device.fromHost(dtype, array), shape);
}

/** A tensor filled with one number, on the device of another tensor; by default with its dtype. */
export function fullLike(
  value: number,
  shape: Shape,
  like: Pick<Tensor, "device" | "dtype">,
  dtype: DType = like.dtype,
): Tensor {
  return tensorLike(allocateArray(dtype, sizeOf(shape)).fill(value), shape, dtype, like);
}
