import { copyPacked, isContiguous, sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";

/** The numbers of a view in row-major order; in place where they lie so. */
export function packed(view: View): ArrayLike<number> {
  const { array, shape, strides, offset } = view;
  if (!isContiguous(shape, strides)) return copyPacked(view, array);
  return array.subarray(offset, offset + sizeOf(shape));
}
