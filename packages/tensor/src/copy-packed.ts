import { allocateArray, type DType, type TypedArray } from "./dtype.js";
import { sizeOf, type Shape } from "./shape.js";

/** The elements of a strided view, copied into row-major order. */
export function copyPacked(
  view: { shape: Shape; strides: Shape; offset: number; dtype: DType },
  from: TypedArray,
  to: TypedArray = allocateArray(view.dtype, sizeOf(view.shape)),
): TypedArray {
  const { shape, strides } = view;
  const last = shape.length - 1;
  const length = shape[last] ?? 1;
  const stride = strides[last] ?? 1;
  let at = 0;
  const walk = (axis: number, offset: number): void => {
    if (axis < last) {
      for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, offset + i * strides[axis]!);
    } else {
      for (let i = 0; i < length; i++) to[at + i] = from[offset + i * stride]!;
      at += length;
    }
  };
  walk(0, view.offset);
  return to;
}
