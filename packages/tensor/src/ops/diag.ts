import { refuseShape } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { onDiagonalOp } from "./diagonal.js";

/**
 * Matrices with the vectors `x` on their diagonals, zeros elsewhere. The inverse is `diagonal`.
 *
 * @param x - `[…, N]`
 * @returns `[…, N, N]`
 * @throws {ShapeError} If `x` is a single number.
 *
 * @example
 * ```ts
 * import { diag, tensor } from "@qkv/tensor";
 *
 * diag(tensor([1, 2])).toNested(); // => [[1, 0], [0, 2]]
 * ```
 */
export function diag(x: Tensor): Tensor {
  const rank = checkTensor("diag", "x", x).shape.length;
  if (rank === 0) refuseShape("diag", "x", [], "[…, N]", "`reshape` it to a vector.");
  return run(onDiagonalOp, [x], { axes: [rank - 1, rank] });
}
