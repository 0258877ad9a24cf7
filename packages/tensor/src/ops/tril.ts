import type { Tensor } from "../tensor.js";
import { triangle } from "../triangle.js";

/**
 * The lower triangle of the last two axes, zeros above it.
 *
 * @param diagonal - The last diagonal that is kept: 0 is the main diagonal, 1 the one above it. Default 0.
 * @throws {ShapeError} If there are fewer than two axes.
 *
 * @example
 * ```ts
 * import { tensor, tril } from "@qkv/tensor";
 *
 * tril(tensor([[1, 2], [3, 4]])).toNested(); // => [[1, 0], [3, 4]]
 * ```
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle("tril", x, { lower: true, diagonal });
}
