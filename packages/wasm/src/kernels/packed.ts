import type { DType, View } from "@qkv/tensor";

/** Returns true for a contiguous row-major view of a type. */
export function isPacked({ dtype, shape, strides }: View, wanted: DType = "float32"): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return dtype === wanted;
}
