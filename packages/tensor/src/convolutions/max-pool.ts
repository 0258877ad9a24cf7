import { run } from "../op.js";
import { poolWindows, type PoolOptions } from "./pool.js";
import type { Tensor } from "../tensor.js";
import type { PerAxis } from "./windows.js";
import { argmaxOp } from "../ops/argmax.js";
import { gatherOp } from "../ops/gather.js";
import { reshaped } from "../ops/reshape.js";

/** The maximum of each window. If several numbers are equal, the gradient goes to the first one, as in PyTorch. */
function maxPool(
  fn: string,
  rank: 1 | 2,
  x: Tensor,
  size: PerAxis,
  options: PoolOptions | undefined,
): Tensor {
  const { unfolded } = poolWindows(fn, rank, x, size, options, -Infinity);
  const largest = run(gatherOp, [unfolded, run(argmaxOp, [unfolded], { axes: [1], keepDims: true })], {
    axis: 1,
  });
  return reshaped(largest, [unfolded.shape[0]!, ...unfolded.shape.slice(2)]);
}

/**
 * The maximum of each window along one axis. If several numbers are equal, the gradient goes to the first one.
 *
 * @param x - `[B, C, L]`
 * @param size - The length of a window.
 * @param options - `stride`: default the size. `padding`: default 0; it counts as −∞. `ceilMode`: default false.
 * @returns `[B, C, windows]`
 * @throws {ShapeError} If `x` is shorter than a window.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is out of range.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { maxPool1d } from "@qkv/tensor/convolutions";
 *
 * maxPool1d(tensor([[[1, 5, 2, 3]]]), 2).toNested(); // => [[[5, 3]]]
 * ```
 */
export function maxPool1d(x: Tensor, size: PerAxis, options?: PoolOptions): Tensor {
  return maxPool("maxPool1d", 1, x, size, options);
}

/**
 * The maximum of each window of images. If several numbers are equal, the gradient goes to the first one.
 *
 * @param x - `[B, C, H, W]`
 * @param size - Height and width of a window.
 * @param options - `stride`: default the size. `padding`: default 0; it counts as −∞. `ceilMode`: default false.
 * @returns `[B, C, OH, OW]`
 * @throws {ShapeError} If `x` is smaller than a window.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is out of range.
 *
 * @example
 * ```ts
 * import { arange, reshape } from "@qkv/tensor";
 * import { maxPool2d } from "@qkv/tensor/convolutions";
 *
 * maxPool2d(reshape(arange(16), [1, 1, 4, 4]), 2).toNested(); // => [[[[5, 7], [13, 15]]]]
 * ```
 */
export function maxPool2d(x: Tensor, size: PerAxis, options?: PoolOptions): Tensor {
  return maxPool("maxPool2d", 2, x, size, options);
}
