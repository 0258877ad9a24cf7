import { checks, withLength } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { reshaped } from "./reshape.js";
import { padOp, slice, sliceOp } from "./slice-and-pad.js";

/** The elements of an axis whose index is a multiple of `step`. */
export const everyOp: Op<{ axis: number; step: number }> = {
  name: "every",
  infer: ([x], { axis, step }) => [
    { shape: withLength(x!.shape, axis, Math.ceil(x!.shape[axis]! / step)), dtype: x!.dtype },
  ],
  view: ({ strides, offset }, { axis, step }) => ({
    strides: withLength(strides, axis, strides[axis]! * step),
    offset,
  }),
  backward({ inputs: [x], gradients: [dy], attributes: { axis, step } }) {
    // Each element and the zeros after it form an axis.
    const { shape } = dy!;
    const [count, length] = [shape[axis]!, x!.shape[axis]!];
    const apart = reshaped(dy!, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
    const spread = run(padOp, [apart], { axis: axis + 1, before: 0, after: step - 1, value: 0 });
    const whole = reshaped(spread, withLength(shape, axis, count * step));
    return [run(sliceOp, [whole], { axis, start: 0, end: length })];
  },
};

/** Every `step`-th element of a range of an axis, without checks. */
export function everyNth(x: Tensor, axis: number, start: number, end: number, step: number): Tensor {
  const stretch = run(sliceOp, [x], { axis, start, end });
  return step === 1 ? stretch : run(everyOp, [stretch], { axis, step });
}

/** A range of an axis: first index, end (excluded), and step. */
export type Stretch = readonly [start?: number, end?: number, step?: number];

/**
 * Ranges of several axes with steps, as a view: `x[1:5:2, :, -3:]` of PyTorch is
 * `stridedSlice(x, [[1, 5, 2], [], [-3]])`. For a negative step, `flip` first.
 *
 * @param stretches - `[start, end, step]` for each axis from the left, as in `slice`; `[]` for a whole axis. Omitted axes are
 *   whole. `start`: default 0. `step`: 1 or more, default 1.
 * @throws {ArgumentError} If a range exceeds its axis, or there are more ranges than axes.
 *
 * @example
 * ```ts
 * import { arange, reshape, stridedSlice } from "@qkv/tensor";
 *
 * const x = reshape(arange(12), [3, 4]);
 * stridedSlice(x, [[1], [0, 4, 2]]).toNested(); // => [[4, 6], [8, 10]]
 * ```
 */
export function stridedSlice(x: Tensor, stretches: readonly Stretch[]): Tensor {
  const rank = checkTensor("stridedSlice", "x", x).shape.length;
  const check = checks("stridedSlice");
  const fix = "write `[[1, 5, 2], [], [-3]]`, from the first axis on.";
  const isStretch = (value: unknown) => Array.isArray(value) && value.length <= 3;
  check.list({ stretches }, "stretches `[start, end, step]`", isStretch, fix);
  check.each(
    { stretches },
    () => stretches.length <= rank,
    `at most ${rank} stretches, one for each axis`,
    fix,
  );
  return stretches.reduce((part: Tensor, [start = 0, end, step = 1], axis) => {
    check.whole(
      { [`stretches[${axis}][2]`]: step },
      { min: 1, fix: "`flip` the axis for a step backwards." },
    );
    const stretch = slice(part, axis, start, end);
    return step === 1 ? stretch : run(everyOp, [stretch], { axis, step });
  }, x);
}
