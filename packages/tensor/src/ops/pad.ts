import { checks, copyStrided, isPacked, normalizeAxis, refuse, toHalfBits, withLength } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sliceOp } from "./slice.js";

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
 * Puts `before` and `after` elements of one value around an axis.
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
        "a whole number of elements, 0 or more",
        "use `slice` to shorten an axis.",
      );
    }
  }
  checks("pad").type({ value }, "number");
  return run(padOp, [x], { axis: at, before, after, value });
}
