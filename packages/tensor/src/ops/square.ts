import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";

/**
 * The square of each number.
 *
 * @example
 * ```ts
 * import { square, tensor } from "@qkv/tensor";
 *
 * square(tensor([-3, 2])).toNested(); // => [9, 4]
 * ```
 */
export function square(x: Tensor): Tensor {
  return mul(checkTensor("square", "x", x), x);
}
