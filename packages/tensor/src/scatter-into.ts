import { eachRow, type Shape, type TypedArray } from "@qkv/core";
import type { View } from "./contracts.js";
import { checkInside } from "./indices.js";

/** Use of a number at its index: overwrite the element, add to it, or take the maximum. */
export type ScatterMode = "write" | "add" | "max";

/** Scatters each number of `source` to its index in a contiguous array. */
export function scatterInto(
  to: TypedArray,
  toStrides: Shape,
  length: number,
  indices: View,
  source: View,
  axis: number,
  mode: ScatterMode,
): void {
  const along = toStrides[axis]!;
  const around = toStrides.map((stride, a) => (a === axis ? 0 : stride));
  const strides = [around, indices.strides, source.strides];
  eachRow(
    indices.shape,
    strides,
    [0, indices.offset, source.offset],
    ([o, j, i], [outStep, indexStep, inStep], n) => {
      for (let k = 0; k < n; k++) {
        const at =
          o! + k * outStep! + checkInside("scatter", indices.array[j! + k * indexStep!]!, length) * along;
        const value = source.array[i! + k * inStep!]!;
        to[at] = mode === "write" ? value : mode === "add" ? to[at]! + value : Math.max(to[at]!, value);
      }
    },
  );
}
