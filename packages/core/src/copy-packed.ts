import { allocateArray, type DType, type TypedArray } from "./dtype.js";
import { eachRow, type Strided } from "./rows.js";
import { isContiguous, sizeOf, stridesOf, type Shape } from "./shape.js";

/** Copies the elements of one strided view to another of the same shape. */
export function copyStrided(
  from: Strided & { readonly array: TypedArray },
  to: { readonly array: TypedArray; readonly strides: Shape; readonly offset: number },
): void {
  const [source, target] = [from.array, to.array];
  eachRow(from.shape, [to.strides, from.strides], [to.offset, from.offset], ([o, i], [dO, di], n) => {
    if (dO === 1 && di === 1) target.set(source.subarray(i, i! + n), o);
    else for (let k = 0; k < n; k++) target[o! + k * dO!] = source[i! + k * di!]!;
  });
}

/** Copies the elements of a strided view in row-major order to `to`, by default a new array, and returns it. */
export function copyPacked(
  { shape, strides, offset, dtype }: Strided & { readonly dtype: DType },
  array: TypedArray,
  to: TypedArray = allocateArray(dtype, sizeOf(shape)),
): TypedArray {
  copyStrided({ shape, strides, offset, array }, { array: to, strides: stridesOf(shape), offset: 0 });
  return to;
}

/** The elements of a strided view in row-major order: part of `array` itself if the view is contiguous, else a copy. */
export function readPacked(view: Strided & { readonly dtype: DType }, array: TypedArray): TypedArray {
  const size = sizeOf(view.shape);
  if (!isContiguous(view.shape, view.strides)) return copyPacked(view, array);
  return size === array.length ? array : array.subarray(view.offset, view.offset + size);
}
