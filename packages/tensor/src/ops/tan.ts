import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { div } from "./div.js";
import { cos, sin } from "./sin-and-cos.js";

/**
 * The tangent of each number, in radians.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { tan, tensor } from "@qkv/tensor";
 *
 * tan(tensor([0, Math.PI / 4])).toNested(); // => [0, 1.0000]
 * ```
 */
export function tan(x: Tensor): Tensor {
  floatTensor("tan", "x", x);
  return div(sin(x), cos(x));
}
