import {
  checkDType,
  type DType,
  eachRow,
  fromHalfBits,
  isFloat,
  isPacked,
  toHalfBits,
  unpackHalf,
} from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";

/** Number of 16-bit floats that are converted at a time: unpacking a whole matrix would take twice its memory. */
const chunk = 2 ** 14;

export const castOp: Op<{ dtype: DType }> = {
  name: "cast",
  dataMovement: true,
  infer: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  kernel([x], [out], { dtype }) {
    const [from, to] = [x!.array, out!.array];
    const source = x!.dtype;
    eachRow(x!.shape, [out!.strides, x!.strides], [0, x!.offset], ([o, i], [, di], n) => {
      const place = o!;
      const at = i!;
      const step = di!;
      if (source === "bfloat16" && step === 1 && to instanceof Float32Array) {
        // The upper halves of float32. A gradient casts all weights: an array for each chunk would be hundreds of megabytes.
        const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
        for (let k = 0; k < n; k++) bits[place + k] = from[at + k]! << 16;
        return;
      }
      if (isPacked(source) && step === 1 && isFloat(dtype)) {
        for (let k = 0; k < n; k += chunk) {
          const halves = from.subarray(at + k, at + Math.min(n, k + chunk)) as Uint16Array;
          to.set(unpackHalf(halves, source), place + k);
        }
        return;
      }
      for (let k = 0; k < n; k++) {
        const stored = from[at + k * step]!;
        const value = isPacked(source) ? fromHalfBits(stored, source) : stored;
        to[place + k] =
          dtype === "bool" ? Number(value !== 0) : isPacked(dtype) ? toHalfBits(value, dtype) : value;
      }
    });
  },
  // The gradient of rounding to an integer is zero.
  backward: ({ inputs: [x], gradients: [dy], attributes: { dtype } }) => [
    dtype === "bool" || dtype.includes("int") ? undefined : cast(dy!, x!.dtype),
  ],
};

/**
 * Converts numbers to another dtype, rounded to the nearest, ties to even. To an integer dtype they are truncated towards zero and
 * wrap around; to bool, all but 0 are true.
 *
 * @example
 * ```ts
 * import { cast, tensor } from "@qkv/tensor";
 *
 * cast(tensor([1.7, -1.7]), "int32").toNested(); // => [1, -1]
 * cast(tensor([0.1]), "float16").toNested(); // => [0.0999755859375]
 * ```
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkDType("cast", dtype);
  return checkTensor("cast", "x", x).dtype === dtype ? x : run(castOp, [x], { dtype });
}
