import type { Tensor } from "../tensor.js";
import { diagonalFor } from "./diagonal.js";
import { sum } from "./sum.js";

/**
 * The sum of the diagonal of matrices.
 *
 * @param x - `[…, N, N]`
 * @returns `[…]`
 * @throws {ShapeError} If the last two axes differ in length.
 *
 * @example
 * ```ts
 * import { tensor, trace } from "@qkv/tensor";
 *
 * trace(tensor([[1, 2], [3, 4]])).toNested(); // => 5
 * ```
 */
export function trace(x: Tensor): Tensor {
  return sum(diagonalFor("trace", x, -2, -1), { axis: -1 });
}
