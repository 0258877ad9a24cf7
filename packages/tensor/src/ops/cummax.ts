import { normalizeAxis } from "@qkv/core";
import { stopGradient } from "../grad.js";
import { checkTensor, run } from "../op.js";
import { prefixScan } from "../prefix-scan.js";
import { tensorLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";
import { equal } from "./equal.js";
import { gatherOp } from "./gather.js";
import { logicalOr } from "./logical-or.js";
import { maximum } from "./maximum.js";
import { notEqual } from "./not-equal.js";
import { where } from "./where.js";

/**
 * Cumulative maximum along an axis, and its index: the last one of equal numbers; after a NaN it is NaN. The gradient goes to the
 * numbers at these indices. For a cumulative minimum, negate before and after.
 *
 * @returns `values` with the dtype of `x`, and `indices` in int32.
 * @throws {ArgumentError} If the axis does not exist.
 *
 * @example
 * ```ts
 * import { cummax, tensor } from "@qkv/tensor";
 *
 * const { values, indices } = cummax(tensor([1, 5, 2, 7]), 0);
 * values.toNested(); // => [1, 5, 5, 7]
 * indices.toNested(); // => [0, 1, 1, 3]
 * ```
 */
export function cummax(x: Tensor, axis: number): { values: Tensor; indices: Tensor } {
  const { shape } = checkTensor("cummax", "x", x);
  const at = normalizeAxis("cummax", axis, shape.length);
  const along = shape.map((length, a) => (a === at ? length : 1));
  const axisIndices = tensorLike(
    Int32Array.from({ length: shape[at]! }, (_, k) => k),
    along,
    "int32",
    x,
  );
  const constant = stopGradient(x);
  // True where a number equals the cumulative maximum, or is NaN.
  const reached = logicalOr(equal(constant, prefixScan(constant, at, maximum)), notEqual(constant, constant));
  const indices = prefixScan(where(reached, axisIndices, 0), at, maximum);
  return { values: run(gatherOp, [x, indices], { axis: at }), indices };
}
