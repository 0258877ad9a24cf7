import type { Op } from "../op.js";
import { run } from "../op.js";
import { contiguous } from "../ops/contiguous.js";
import type { Tensor } from "../tensor.js";
import { weightBits, checkQuantized, groupLength, type QuantizedWeight } from "./quantized-weight.js";
import { wholeNumber } from "./whole-number.js";

/** The weight `[out, in]` of data and scales. */
export const dequantizeOp: Op<{ inputs: number }> = {
  name: "dequantize",
  infer: ([, scale], { inputs }) => [{ shape: [scale!.shape[0]!, inputs], dtype: "float32" }],
  kernel([data, scale], [out], { inputs }) {
    const bits = weightBits({ data: data! });
    const [outputs, groups] = scale!.shape as [number, number];
    const numbers = data!.array.subarray(data!.offset);
    for (let n = 0; n < outputs; n++) {
      for (let k = 0; k < inputs; k++) {
        const group = bits === 8 ? 0 : Math.floor(k / groupLength);
        const factor = scale!.array[scale!.offset + n * groups + group]!;
        out!.array[n * inputs + k] = factor * wholeNumber(numbers, bits, data!.shape[1]!, n, k);
      }
    }
  },
};

/**
 * Dequantizes a weight.
 *
 * @param inputs - Number of inputs, since a panel may be padded.
 * @returns `[out, in]`, float32
 * @throws {ArgumentError} If it is not a quantized weight with this number of inputs.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { dequantizeWeight, quantizeWeight } from "@qkv/tensor/quantized";
 *
 * const quantized = quantizeWeight(tensor([[7, -7, 3.2]]), { bits: 4 });
 * dequantizeWeight(quantized, 3).toNested(); // => [[7, -7, 3]]
 * ```
 */
export function dequantizeWeight(weight: QuantizedWeight, inputs: number): Tensor {
  checkQuantized("dequantizeWeight", weight, inputs);
  return run(dequantizeOp, [contiguous(weight.data), contiguous(weight.scale)], { inputs });
}
