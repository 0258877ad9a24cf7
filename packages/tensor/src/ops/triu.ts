import type { Tensor } from "../tensor.js";
import { triangle } from "../triangle.js";

/**
 * The upper triangle of the last two axes, zeros below it.
 *
 * @param diagonal - The first diagonal that is kept: 0 is the main diagonal, 1 the one above it. Default 0.
 * @throws {ShapeError} If there are fewer than two axes.
 *
 * @example
 * ```ts
 * import { tensor, triu } from "@qkv/tensor";
 *
 * triu(tensor([[1, 2], [3, 4]])).toNested(); // => [[1, 2], [0, 4]]
 * ```
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle("triu", x, { lower: false, diagonal });
}
