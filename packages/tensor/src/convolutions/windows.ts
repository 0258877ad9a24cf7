import { checks, refuseShape } from "@qkv/core";
import { run } from "../op.js";
import { concatOp } from "../ops/concat.js";
import { padOp } from "../ops/slice-and-pad.js";
import { everyNth } from "../ops/strided-slice.js";
import type { Tensor } from "../tensor.js";

/** One number for all spatial axes, or one for each, from the left. */
export type PerAxis = number | readonly number[];

/** Windows along one spatial axis, with padding before and after it. */
export type Windows = {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
};

/** A number for each spatial axis, checked. */
export function perAxis(fn: string, argument: string, value: PerAxis, rank: number, min: number): number[] {
  const list = typeof value === "number" ? Array.from({ length: rank }, () => value) : value;
  const check = checks(fn);
  const expected = rank === 1 ? "an integer" : `an integer, or a list of ${rank}`;
  check.each({ [argument]: value }, () => Array.isArray(list) && list.length === rank, expected);
  list.forEach((size, i) => check.whole({ [rank === 1 ? argument : `${argument}[${i}]`]: size }, { min }));
  return [...list];
}

/** Number of windows along an axis. Refuses an axis that is shorter than one window. */
export function windowCount(fn: string, x: Tensor, axis: number, windows: Windows): number {
  const { size, stride, dilation, before, after } = windows;
  const span = dilation * (size - 1) + 1;
  const length = before + x.shape[axis]! + after;
  if (length >= span) return Math.floor((length - span) / stride) + 1;
  const expected = `at least ${span - before - after} on axis ${axis}, for a window of ${span}`;
  return refuseShape(fn, "x", x.shape, expected, "take a smaller window, or more padding.");
}

/**
 * Unfolds windows (im2col): `[B, C, …]` to `[B, taps · C, …windows]`, with the taps of a window in row-major order and channels
 * innermost.
 *
 * @param value - Of the padding.
 */
export function unfold(fn: string, x: Tensor, windows: readonly Windows[], value: number): Tensor {
  let unfolded = x;
  // From the last axis, so that its taps vary fastest.
  for (let i = windows.length - 1; i >= 0; i--) {
    const axis = 2 + i;
    const { size, stride, dilation, before, after } = windows[i]!;
    const count = windowCount(fn, unfolded, axis, windows[i]!);
    const padded = before + after > 0 ? run(padOp, [unfolded], { axis, before, after, value }) : unfolded;
    const tap = (p: number) =>
      everyNth(padded, axis, p * dilation, p * dilation + (count - 1) * stride + 1, stride);
    unfolded =
      size === 1
        ? tap(0)
        : run(
            concatOp,
            Array.from({ length: size }, (_, p) => tap(p)),
            { axis: 1 },
          );
  }
  return unfolded;
}
