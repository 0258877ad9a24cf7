import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { abs } from "./abs.js";
import { floor } from "./floor.js";
import { mul } from "./mul.js";
import { sign } from "./sign.js";

/**
 * Rounds each number towards 0 to an integer. Its gradient is 0.
 *
 * @example
 * ```ts
 * import { tensor, trunc } from "@qkv/tensor";
 *
 * trunc(tensor([1.7, -1.7])).toNested(); // => [1, -1]
 * ```
 */
export function trunc(x: Tensor): Tensor {
  return mul(sign(checkTensor("trunc", "x", x)), floor(abs(x)));
}
