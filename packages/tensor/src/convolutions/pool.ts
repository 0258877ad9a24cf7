import { checkOptions, checks, refuseShape, sizeOf } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { reshaped } from "../ops/reshape.js";
import type { Tensor } from "../tensor.js";
import { perAxis, unfold, windowCount, type PerAxis, type Windows } from "./windows.js";

/** Options of pooling: one number for all spatial axes, or one for each. */
export type PoolOptions = {
  /** Step from one window to the next. Default: the window's size. */
  stride?: PerAxis;
  /** Padding at both ends of each axis, at most half a window. Default 0. */
  padding?: PerAxis;
  /** True to keep a last window that begins inside of the axis but extends beyond its end (PyTorch's `ceil_mode`). Default false. */
  ceilMode?: boolean;
};

/** Windows of pooling, unfolded to `[B, taps, C, …windows]`. */
export function poolWindows(
  fn: string,
  rank: 1 | 2,
  x: Tensor,
  size: PerAxis,
  options: PoolOptions | undefined,
  value: number,
): { unfolded: Tensor; windows: readonly Windows[] } {
  const {
    stride = size,
    padding = 0,
    ceilMode = false,
  } = checkOptions(fn, options, ["stride", "padding", "ceilMode"]);
  checks(fn).type({ ceilMode }, "boolean");
  const { shape } = floatTensor(fn, "x", x);
  const space = rank === 1 ? "length" : "height, width";
  if (shape.length !== rank + 2)
    refuseShape(fn, "x", shape, `[batch, channels, ${space}]`, "`expandDims` a single example.");
  const sizes = perAxis(fn, "size", size, rank, 1);
  const steps = perAxis(fn, "stride", stride, rank, 1);
  const paddings = perAxis(fn, "padding", padding, rank, 0);
  const windows = sizes.map((length, i): Windows => {
    const before = paddings[i]!;
    checks(fn).whole({ padding: before }, { max: length / 2, fix: "padding is at most half a window." });
    const plain = { size: length, stride: steps[i]!, dilation: 1, before, after: before };
    const end = before + shape[2 + i]!;
    // Rounded up, the last window may extend beyond the end. It must begin inside of the axis or of the padding before it.
    const lastStart = Math.ceil((end + before - length) / steps[i]!) * steps[i]!;
    if (ceilMode && lastStart >= 0 && lastStart < end)
      return { ...plain, after: Math.max(before, lastStart + length - end) };
    windowCount(fn, x, 2 + i, plain);
    return plain;
  });
  return { unfolded: splitTaps(unfold(fn, x, windows, value), sizeOf(sizes)), windows };
}

/** Splits the axis of taps and channels: `[B, taps · C, …]` to `[B, taps, C, …]`. */
export function splitTaps(unfolded: Tensor, taps: number): Tensor {
  const [B, both, ...space] = unfolded.shape as [number, number, ...number[]];
  return reshaped(unfolded, [B, taps, both / taps, ...space]);
}
