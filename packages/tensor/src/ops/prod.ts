import { reducedShape, sizeOf } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import { reducedAxes, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { padOp, sliceOp } from "./slice-and-pad.js";
import { permuteOp } from "./permute.js";
import { reshaped } from "./reshape.js";

/**
 * The product over one axis, several, or all. It multiplies halves with each other until one number is left, which has few
 * roundings and a gradient without division, so zeros are not a special case. The product of no numbers is 1.
 *
 * @param options - `axis`: default all. `keepDims`: default false.
 *
 * @example
 * ```ts
 * import { prod, tensor } from "@qkv/tensor";
 *
 * prod(tensor([[1, 2], [3, 4]]), { axis: 1 }).toNested(); // => [2, 12]
 * ```
 */
export function prod(x: Tensor, options?: ReduceOptions): Tensor {
  const { shape } = checkTensor("prod", "x", x);
  const reduced = reducedAxes("prod", x, options);
  const keptAxes = shape.flatMap((_, axis) => (reduced.axes.includes(axis) ? [] : [axis]));
  const count = sizeOf(reduced.axes.map((axis) => shape[axis]!));
  const ordered = run(permuteOp, [x], { axes: [...keptAxes, ...reduced.axes] });
  let rest = reshaped(ordered, [...keptAxes.map((axis) => shape[axis]!), count]);
  const axis = keptAxes.length;
  for (let length = count; length !== 1; length = Math.ceil(length / 2)) {
    if (length % 2 === 1 || length === 0) rest = run(padOp, [rest], { axis, before: 0, after: 1, value: 1 });
    if (length === 0) break;
    const half = Math.ceil(length / 2);
    const part = (start: number) => run(sliceOp, [rest], { axis, start, end: start + half });
    rest = mul(part(0), part(half));
  }
  return reshaped(rest, reducedShape(shape, reduced));
}
