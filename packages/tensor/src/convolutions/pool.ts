import { checkOptions, checks, refuseShape, sizeOf } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { reshaped } from "../ops/reshape.js";
import type { Tensor } from "../tensor.js";
import { perAxis, unfold, windowCount, type PerAxis, type Windows } from "./windows.js";

/** Options of a pool: one number for all spatial axes, or one for each. */
export type PoolOptions = {
  /** Distance of windows. Default: their size. */
  stride?: PerAxis;
  /** Places at both ends of each axis, at most half a window. Default 0. */
  padding?: PerAxis;
  /** A last window may stand out over the end, if it begins before it. Default false. */
  ceilMode?: boolean;
};

/** The numbers that the windows of a pool see, `[B, places, C, …windows]`, and the windows. */
export function poolWindows(
  fn: string,
  rank: 1 | 2,
  x: Tensor,
  size: PerAxis,
  options: PoolOptions | undefined,
  value: number,
): { seen: Tensor; windows: readonly Windows[] } {
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
  const around = perAxis(fn, "padding", padding, rank, 0);
  const windows = sizes.map((length, i): Windows => {
    const before = around[i]!;
    checks(fn).whole({ padding: before }, { max: length / 2, fix: "padding is at most half a window." });
    const plain = { size: length, stride: steps[i]!, dilation: 1, before, after: before };
    const count = windowCount(fn, x, 2 + i, plain);
    const further = count * steps[i]!;
    const rest = (2 * before + shape[2 + i]! - length) % steps[i]!;
    // One more where numbers are left over, if it begins on one or on the padding in front of them.
    if (!ceilMode || rest === 0 || further >= before + shape[2 + i]!) return plain;
    return { ...plain, after: Math.max(before, further + length - before - shape[2 + i]!) };
  });
  return { seen: placesApart(unfold(fn, x, windows, value), sizeOf(sizes)), windows };
}

/** The places of windows as an axis of their own. */
export function placesApart(seen: Tensor, places: number): Tensor {
  const [B, both, ...space] = seen.shape as [number, number, ...number[]];
  return reshaped(seen, [B, places, both / places, ...space]);
}
