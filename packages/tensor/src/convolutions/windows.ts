import { checks, refuseShape } from "@qkv/core";
import { run } from "../op.js";
import { concatOp } from "../ops/concat.js";
import { padOp } from "../ops/slice-and-pad.js";
import { everyNth } from "../ops/strided-slice.js";
import type { Tensor } from "../tensor.js";

/** One number for all spatial axes, or one for each, from the left. */
export type PerAxis = number | readonly number[];

/** The windows of one spatial axis. */
export type Windows = {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
};

/** A number for each spatial axis, checked. */
export function perAxis(fn: string, argument: string, given: PerAxis, rank: number, min: number): number[] {
  const list = typeof given === "number" ? Array.from({ length: rank }, () => given) : given;
  const check = checks(fn);
  const expected = rank === 1 ? "a whole number" : `a whole number, or a list of ${rank}`;
  check.each({ [argument]: given }, () => Array.isArray(list) && list.length === rank, expected);
  list.forEach((one, i) => check.whole({ [rank === 1 ? argument : `${argument}[${i}]`]: one }, { min }));
  return [...list];
}

/** The length of an axis in windows. Refuses an axis that is shorter than one of them. */
export function windowCount(fn: string, x: Tensor, axis: number, windows: Windows): number {
  const { size, stride, dilation, before, after } = windows;
  const reach = dilation * (size - 1) + 1;
  const length = before + x.shape[axis]! + after;
  if (length >= reach) return Math.floor((length - reach) / stride) + 1;
  const expected = `at least ${reach - before - after} on axis ${axis}, for a window of ${reach}`;
  return refuseShape(fn, "x", x.shape, expected, "take a smaller window, or more padding.");
}

/**
 * The numbers that each place of a window sees, `[B, C, …]` to `[B, places · C, …windows]`: the places of a window in row-major order, and
 * channels innermost.
 *
 * @param value - That stands outside of `x`.
 */
export function unfold(fn: string, x: Tensor, windows: readonly Windows[], value: number): Tensor {
  let seen = x;
  // From the last axis, so that its places count fastest.
  for (let i = windows.length - 1; i >= 0; i--) {
    const axis = 2 + i;
    const { size, stride, dilation, before, after } = windows[i]!;
    const count = windowCount(fn, seen, axis, windows[i]!);
    const padded = before + after > 0 ? run(padOp, [seen], { axis, before, after, value }) : seen;
    const place = (p: number) =>
      everyNth(padded, axis, p * dilation, p * dilation + (count - 1) * stride + 1, stride);
    seen =
      size === 1
        ? place(0)
        : run(
            concatOp,
            Array.from({ length: size }, (_, p) => place(p)),
            { axis: 1 },
          );
  }
  return seen;
}
