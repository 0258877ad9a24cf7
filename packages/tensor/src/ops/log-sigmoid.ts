import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { neg } from "./neg.js";
import { softplus } from "./softplus.js";

/**
 * The logarithm of the sigmoid of each number, `−log(1 + e⁻ˣ)`, accurate also where the sigmoid is almost 0.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { logSigmoid, tensor } from "@qkv/tensor";
 *
 * logSigmoid(tensor([-1000, 1000])).toNested(); // => [-1000, 0]
 * ```
 */
export function logSigmoid(x: Tensor): Tensor {
  return neg(softplus(neg(floatTensor("logSigmoid", "x", x))));
}
