import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { softplus } from "./softplus.js";
import { tanh } from "./tanh.js";

/**
 * `x · tanh(softplus(x))`, elementwise.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 * @see "Mish: A Self Regularized Non-Monotonic Activation Function" (2019), arXiv:1908.08681
 *
 * @example
 * ```ts
 * import { mish, tensor } from "@qkv/tensor";
 *
 * mish(tensor([0, 1])).toNested(); // => [0, 0.8651]
 * ```
 */
export function mish(x: Tensor): Tensor {
  floatTensor("mish", "x", x);
  return mul(x, tanh(softplus(x)));
}
