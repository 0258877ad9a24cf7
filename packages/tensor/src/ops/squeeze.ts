import { normalizeAxis, refuseShape } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { reshape } from "./reshape.js";

/**
 * Removes axes of length 1.
 *
 * @param axis - One axis or several. Default: all axes of length 1.
 * @throws {ShapeError} If one of the axes is longer.
 *
 * @example
 * ```ts
 * import { squeeze, zeros } from "@qkv/tensor";
 *
 * squeeze(zeros([1, 3, 1])).shape; // => [3]
 * squeeze(zeros([1, 3, 1]), 0).shape; // => [3, 1]
 * ```
 */
export function squeeze(x: Tensor, axis?: number | readonly number[]): Tensor {
  const { shape } = checkTensor("squeeze", "x", x);
  const axes = (axis === undefined ? undefined : [axis].flat())?.map((index) =>
    normalizeAxis("squeeze", index, shape.length),
  );
  const long = axes?.find((index) => shape[index] !== 1);
  if (long !== undefined) {
    refuseShape(
      "squeeze",
      "x",
      shape,
      `length 1 on axis ${long}`,
      "squeeze only axes of length 1; `slice` takes a part of a longer one.",
    );
  }
  return reshape(
    x,
    shape.filter((length, i) => (axes ? !axes.includes(i) : length !== 1)),
  );
}
