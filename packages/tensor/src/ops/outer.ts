import { refuseShape } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { expandDims } from "./expand-dims.js";
import { mul } from "./mul.js";

/**
 * The outer product: each number of a vector times each number of another.
 *
 * @param a - `[M]`
 * @param b - `[N]`
 * @returns `[M, N]`
 * @throws {ShapeError} If an argument is not a vector.
 *
 * @example
 * ```ts
 * import { outer, tensor } from "@qkv/tensor";
 *
 * outer(tensor([1, 2]), tensor([10, 100])).toNested(); // => [[10, 100], [20, 200]]
 * ```
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  for (const [argument, side] of Object.entries({ a, b })) {
    const { shape } = checkTensor("outer", argument, side);
    if (shape.length === 1) continue;
    refuseShape(
      "outer",
      argument,
      shape,
      "a vector: one axis",
      "`reshape` it to [-1], or use `mul` with broadcasting for more axes.",
    );
  }
  return mul(expandDims(a, 1), b);
}
