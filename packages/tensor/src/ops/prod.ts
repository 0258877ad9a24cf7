import { sizeOf } from "@qkv/core";
import { checkTensor } from "../op.js";
import { reducedAxes, reducedShape, type ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { pad } from "./pad.js";
import { permute } from "./permute.js";
import { reshape } from "./reshape.js";
import { slice } from "./slice.js";

/**
 * The product over one axis, several, or all. Halves are multiplied with each other until one number is left: few
 * roundings, and a gradient that needs no division, so that zeros are no special case. Of no numbers it is 1.
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
export function prod(x: Tensor, options: ReduceOptions = {}): Tensor {
  const { shape } = checkTensor("prod", "x", x);
  const reduced = reducedAxes("prod", x, options);
  const kept = shape.flatMap((_, axis) => (reduced.axes.includes(axis) ? [] : [axis]));
  const count = sizeOf(reduced.axes.map((axis) => shape[axis]!));
  const ordered = permute(x, [...kept, ...reduced.axes]);
  let rest = reshape(ordered, [...kept.map((axis) => shape[axis]!), count]);
  for (let length = count; length !== 1; length = Math.ceil(length / 2)) {
    if (length % 2 === 1 || length === 0) rest = pad(rest, -1, 0, 1, 1);
    if (length === 0) break;
    const half = Math.ceil(length / 2);
    rest = mul(slice(rest, -1, 0, half), slice(rest, -1, half));
  }
  return reshape(rest, reducedShape(shape, reduced));
}
