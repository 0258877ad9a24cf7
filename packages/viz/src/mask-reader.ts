import { ShapeError, sizeOf, type Checks } from "@qkv/core";
import { checkFields, type PictureData } from "./check-data.js";

/** A mask, true for keys that a query sees: `true`, or a number other than 0. A bool tensor of `@qkv/tensor` fits. */
export type MaskData = { readonly data: ArrayLike<number | boolean>; readonly shape: readonly number[] };

/** Returns a function that is true if the cell of an index is masked: by the mask, or else if its weight is exactly 0. */
export function maskReader(
  check: Checks,
  weights: PictureData,
  mask: MaskData | undefined,
): (i: number) => boolean {
  if (mask === undefined) return (i) => weights.data[i] === 0;
  checkFields(check, { mask }, "give a bool tensor, or numbers and their shape.");
  const { data, shape } = mask;
  const axes = weights.shape.length - shape.length;
  const fits = axes >= 0 && shape.every((size, axis) => size === 1 || size === weights.shape[axes + axis]);
  if (!fits || data.length !== sizeOf(shape)) {
    const expected = `a shape that broadcasts to that of the weights, [${weights.shape.join(", ")}], and as many values`;
    const fix = "give [T, S], or 1 in place of an axis along which the mask does not change.";
    check.refuse({ argument: "mask", received: shape, expected, fix }, ShapeError);
  }
  if (data.length === sizeOf(weights.shape)) return (i) => !data[i];
  return (i) => {
    let [at, stride, rest] = [0, 1, i];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = weights.shape[axes + axis]!;
      if (shape[axis] !== 1) at += (rest % length) * stride;
      stride *= shape[axis]!;
      rest = Math.floor(rest / length);
    }
    return !data[at];
  };
}
