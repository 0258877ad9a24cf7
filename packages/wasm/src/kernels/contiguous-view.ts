import type { DType, View } from "@qkv/tensor";

/** True for a view of a dtype whose elements are contiguous in row-major order. */
export function isContiguousView({ dtype, shape, strides }: View, expectedType: DType = "float32"): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return dtype === expectedType;
}
