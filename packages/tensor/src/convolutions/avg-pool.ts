import { checkOptions, checks } from "@qkv/core";
import { poolWindows, splitTaps, type PoolOptions } from "./pool.js";
import { fullLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";
import { unfold, type PerAxis } from "./windows.js";
import { div } from "../ops/div.js";
import { run } from "../op.js";
import { padOp } from "../ops/slice-and-pad.js";
import { sum } from "../ops/sum.js";

/** Options of average pooling. */
export type AvgPoolOptions = PoolOptions & {
  /** True to count padding as zeros in the mean. Positions beyond the padding never count. Default true. */
  countIncludePad?: boolean;
};

/** The mean of each window. */
function avgPool(
  fn: string,
  rank: 1 | 2,
  x: Tensor,
  size: PerAxis,
  poolOptions: AvgPoolOptions | undefined,
): Tensor {
  const names = ["countIncludePad", "stride", "padding", "ceilMode"] as const;
  const { countIncludePad = true, ...options } = checkOptions(fn, poolOptions, names);
  checks(fn).type({ countIncludePad }, "boolean");
  const { unfolded, windows } = poolWindows(fn, rank, x, size, options, 0);
  const taps = unfolded.shape[1]!;
  const total = sum(unfolded, { axis: 1 });
  if (windows.every(({ before, after }) => after === before && (before === 0 || countIncludePad)))
    return div(total, taps);
  // The number of counted elements of each window is the sum of a tensor of ones over the same windows.
  let ones = fullLike(1, [1, 1, ...x.shape.slice(2)], x);
  const countedWindows = windows.map((axisWindows, i) => {
    if (!countIncludePad) return axisWindows;
    const { before } = axisWindows;
    ones = run(padOp, [ones], { axis: 2 + i, before, after: before, value: 1 });
    return { ...axisWindows, before: 0, after: axisWindows.after - before };
  });
  return div(total, sum(splitTaps(unfold(fn, ones, countedWindows, 0), taps), { axis: 1 }));
}

/**
 * The mean of each window along one axis.
 *
 * @param x - `[B, C, L]`
 * @param size - The length of a window.
 * @param options - `stride`: default the size. `padding`: default 0. `countIncludePad`: true to count padding as zeros,
 *   default true. `ceilMode`: default false.
 * @returns `[B, C, windows]`
 * @throws {ShapeError} If `x` is shorter than a window.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is out of range.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { avgPool1d } from "@qkv/tensor/convolutions";
 *
 * avgPool1d(tensor([[[1, 5, 2, 4]]]), 2).toNested(); // => [[[3, 3]]]
 * ```
 */
export function avgPool1d(x: Tensor, size: PerAxis, options?: AvgPoolOptions): Tensor {
  return avgPool("avgPool1d", 1, x, size, options);
}

/**
 * The mean of each window of images.
 *
 * @param x - `[B, C, H, W]`
 * @param size - Height and width of a window.
 * @param options - `stride`: default the size. `padding`: default 0. `countIncludePad`: true to count padding as zeros,
 *   default true. `ceilMode`: default false.
 * @returns `[B, C, OH, OW]`
 * @throws {ShapeError} If `x` is smaller than a window.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is out of range.
 *
 * @example
 * ```ts
 * import { arange, reshape } from "@qkv/tensor";
 * import { avgPool2d } from "@qkv/tensor/convolutions";
 *
 * avgPool2d(reshape(arange(16), [1, 1, 4, 4]), 2).toNested(); // => [[[[2.5, 4.5], [10.5, 12.5]]]]
 * ```
 */
export function avgPool2d(x: Tensor, size: PerAxis, options?: AvgPoolOptions): Tensor {
  return avgPool("avgPool2d", 2, x, size, options);
}
