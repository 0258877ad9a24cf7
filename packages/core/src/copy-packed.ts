import { allocateArray, type DType, type TypedArray } from "./dtype.js";
import { eachRow } from "./rows.js";
import { sizeOf, stridesOf, type Shape } from "./shape.js";

/** The elements of a strided view, copied into row-major order. `to`: where they go; default a new array. */
export function copyPacked(
  { shape, strides, offset, dtype }: { shape: Shape; strides: Shape; offset: number; dtype: DType },
  from: TypedArray,
  to: TypedArray = allocateArray(dtype, sizeOf(shape)),
): TypedArray {
  eachRow(shape, [stridesOf(shape), strides], [0, offset], ([o, i], [dO, di], n) => {
    for (let k = 0; k < n; k++) to[o! + k * dO!] = from[i! + k * di!]!;
  });
  return to;
}
