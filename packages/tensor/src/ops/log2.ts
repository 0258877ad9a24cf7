import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { log } from "./log.js";
import { mul } from "./mul.js";

/**
 * The logarithm of each number to the base 2. Of 0 it is −∞, of negative numbers NaN.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { log2, tensor } from "@qkv/tensor";
 *
 * log2(tensor([1, 8])).toNested(); // => [0, 3]
 * ```
 */
export function log2(x: Tensor): Tensor {
  floatTensor("log2", "x", x);
  return mul(log(x), Math.LOG2E);
}
