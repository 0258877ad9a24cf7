import { checkOptions, eachRow, refuse } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { run, type Op } from "../op.js";
import { fillUniforms, seedKey } from "../random/uniforms.js";
import type { Tensor } from "../tensor.js";
import { contiguous } from "./contiguous.js";

export const dropoutOp: Op<{ rate: number; key: [number, number] }> = {
  name: "dropout",
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  kernel([x], [out], { rate, key }) {
    const scale = 1 / (1 - rate);
    eachRow(x!.shape, [out!.strides, x!.strides], [0, x!.offset], ([o, i], [, di], length) => {
      // Uniform number n of the seed decides for element n, in row-major order.
      const uniforms = new Float64Array(length);
      fillUniforms(uniforms, key, o!);
      for (let k = 0; k < length; k++) {
        out!.array[o! + k] = uniforms[k]! < rate ? 0 : x!.array[i! + k * di!]! * scale;
      }
    });
  },
  // Devices' kernels need contiguous inputs.
  backward: ({ gradients: [dy], attributes }) => [run(dropoutOp, [contiguous(dy!)], attributes)],
};

/**
 * Sets each number to zero with probability `rate`, and divides the others by `1 - rate`, so that the expected value
 * does not change (inverted dropout). For training; leave the call out for inference.
 *
 * @param options - `rate`: from 0 to below 1. `seed`: an integer; the same one drops the same elements on every
 *   device, so use another one for each layer and step.
 * @throws {ArgumentError} If the rate is out of range, or the seed is not an integer.
 * @see "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (2014)
 *
 * @example
 * ```ts
 * import { dropout, ones } from "@qkv/tensor";
 *
 * dropout(ones([6]), { rate: 0.5, seed: 1 }).toNested(); // => [2, 2, 2, 0, 0, 2]
 * ```
 */
export function dropout(x: Tensor, options: { rate: number; seed: number }): Tensor {
  const { rate, seed } = checkOptions("dropout", options, ["rate", "seed"]);
  const key = seedKey("dropout", seed);
  if (!(rate >= 0 && rate < 1)) {
    refuse("dropout", "rate", rate, "a probability from 0 to below 1", "0.1 drops one number of ten.");
  }
  floatTensor("dropout", "x", x);
  return rate === 0 ? x : run(dropoutOp, [x], { rate, key });
}
