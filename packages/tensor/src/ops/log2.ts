import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { log } from "./log.js";
import { mul } from "./mul.js";

/**
 * The base-2 logarithm of each number: −∞ for 0, NaN for negative numbers.
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
