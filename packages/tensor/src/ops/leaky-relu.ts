import { checkOptions, checks } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { greater } from "./greater.js";
import { mul } from "./mul.js";
import { where } from "./where.js";

/**
 * The leaky ReLU: x for positive numbers, `negativeSlope · x` for others.
 *
 * @param options - `negativeSlope`: default 0.01.
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 * @see "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013)
 *
 * @example
 * ```ts
 * import { leakyRelu, tensor } from "@qkv/tensor";
 *
 * leakyRelu(tensor([3, -8]), { negativeSlope: 0.25 }).toNested(); // => [3, -2]
 * ```
 */
export function leakyRelu(x: Tensor, options?: { negativeSlope?: number }): Tensor {
  const { negativeSlope = 0.01 } = checkOptions("leakyRelu", options, ["negativeSlope"]);
  checks("leakyRelu").finite({ negativeSlope });
  floatTensor("leakyRelu", "x", x);
  return where(greater(x, 0), x, mul(x, negativeSlope));
}
