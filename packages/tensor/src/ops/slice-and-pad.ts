import { checks, copyStrided, isPacked, normalizeAxis, refuse, toHalfBits, withLength } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

// In one file: each is the other's derivative.

export const sliceOp: Op<{ axis: number; start: number; end: number }> = {
  name: "slice",
  infer: ([x], { axis, start, end }) => [{ shape: withLength(x!.shape, axis, end - start), dtype: x!.dtype }],
  view: (x, { axis, start }) => ({ strides: x.strides, offset: x.offset + start * x.strides[axis]! }),
  backward: ({ inputs: [x], gradients: [dy], attributes: { axis, start, end } }) => [
    run(padOp, [dy!], { axis, before: start, after: x!.shape[axis]! - end, value: 0 }),
  ],
};

/**
 * The range `start … end - 1` of one axis, as a view.
 *
 * @param start - Negative counts from the end.
 * @param end - Default: the end of the axis. Negative counts from the end.
 * @throws {ArgumentError} If the range exceeds the axis.
 *
 * @example
 * ```ts
 * import { arange, slice } from "@qkv/tensor";
 *
 * slice(arange(6), 0, 2, 4).toNested(); // => [2, 3]
 * slice(arange(6), 0, -2).toNested(); // => [4, 5]
 * ```
 */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  const at = normalizeAxis("slice", axis, checkTensor("slice", "x", x).shape.length);
  const length = x.shape[at]!;
  const first = start < 0 ? start + length : start;
  const last = end === undefined ? length : end < 0 ? end + length : end;
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last > length || first > last) {
    refuse(
      "slice",
      "start",
      `${start} to ${end ?? "the end"}`,
      `a stretch inside axis ${at}, which has length ${length}`,
      "use integers with 0 <= start <= end <= length; negative ones count from the end.",
    );
  }
  return run(sliceOp, [x], { axis: at, start: first, end: last });
}

export const padOp: Op<{ axis: number; before: number; after: number; value: number }> = {
  name: "pad",
  dataMovement: true,
  infer: ([x], { axis, before, after }) => [
    { shape: withLength(x!.shape, axis, before + x!.shape[axis]! + after), dtype: x!.dtype },
  ],
  kernel([x], [out], { axis, before, value }) {
    if (value !== 0) out!.array.fill(isPacked(out!.dtype) ? toHalfBits(value, out!.dtype) : value);
    copyStrided(x!, { ...out!, offset: before * out!.strides[axis]! });
  },
  backward: ({ inputs: [x], gradients: [dy], attributes: { axis, before } }) => [
    run(sliceOp, [dy!], { axis, start: before, end: before + x!.shape[axis]! }),
  ],
};

/**
 * Pads an axis with `before` and `after` elements of one value.
 *
 * @param value - Default 0.
 *
 * @example
 * ```ts
 * import { pad, tensor } from "@qkv/tensor";
 *
 * pad(tensor([1, 2]), 0, 1, 2).toNested(); // => [0, 1, 2, 0, 0]
 * ```
 */
export function pad(x: Tensor, axis: number, before: number, after: number, value = 0): Tensor {
  const at = normalizeAxis("pad", axis, checkTensor("pad", "x", x).shape.length);
  for (const [argument, count] of Object.entries({ before, after })) {
    if (!Number.isInteger(count) || count < 0) {
      refuse(
        "pad",
        argument,
        count,
        "an integer number of elements, 0 or more",
        "use `slice` to shorten an axis.",
      );
    }
  }
  checks("pad").type({ value }, "number");
  return run(padOp, [x], { axis: at, before, after, value });
}
