import { checkSameType, refuseShape, sizeOf } from "@qkv/core";
import { matrixProduct } from "../matrix-product.js";
import { checkTensor, run, withGradient } from "../op.js";
import type { Tensor } from "../tensor.js";
import { reshaped } from "./reshape.js";
import { sumTo } from "./sum-to.js";
import { transposed } from "./transpose.js";

export const matmulOp = /* @__PURE__ */ withGradient(
  matrixProduct,
  ({ inputs: [a, b], gradients: [dy], wants }) => [
    wants(0) ? sumTo(product(dy!, transposed(b!)), a!.shape) : undefined,
    wants(1) ? sumTo(product(transposed(a!), dy!), b!.shape) : undefined,
  ],
);

/** The product of matrices, or of batches of them, with matching shapes. */
export function product(a: Tensor, b: Tensor): Tensor {
  return run(matmulOp, [a, b], undefined);
}

/**
 * The matrix product of the last two axes: `[…, M, K]` times `[…, K, N]` gives `[…, M, N]`. Axes before them are a
 * batch and broadcast. A vector on the left is a row, on the right a column, and its axis is removed from
 * the result, as in numpy.
 *
 * Each number is the sum of its K products in order, in float64, for any M and N, so a row computed alone equals the same row
 * computed with others, bit for bit.
 *
 * @throws {ShapeError} If the inner lengths differ or the batches do not broadcast.
 *
 * @example
 * ```ts
 * import { matmul, tensor } from "@qkv/tensor";
 *
 * matmul(tensor([[1, 2], [3, 4]]), tensor([[1], [10]])).toNested(); // => [[21], [43]]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const left = checkTensor("matmul", "a", a).shape;
  const right = checkTensor("matmul", "b", b).shape;
  if (left.length * right.length === 0) {
    const scalar = left.length === 0 ? "a" : "b";
    refuseShape("matmul", scalar, [], "a matrix or a vector", "use `mul` to multiply by a single number.");
  }
  checkSameType("matmul", "b", b.dtype, a.dtype, "a");
  const K = left.at(-1)!;
  if (K !== (right.at(-2) ?? right[0])) {
    const expected = `[…, ${K}, N] or [${K}], as a is [${left.join(", ")}]`;
    const fix = "the last axis of a meets the last but one of b: transpose one side.";
    refuseShape("matmul", "b", right, expected, fix);
  }
  if (right.length > 2 && left.length > 1) return product(a, b);
  // A single matrix or vector on the right is multiplied by all rows on the left at once; a vector on the left is one row.
  const above = left.slice(0, -1);
  const rows = reshaped(a, [sizeOf(above), K]);
  return reshaped(
    product(rows, right.length === 1 ? reshaped(b, [K, 1]) : b),
    right.length > 2 ? [...right.slice(0, -2), right.at(-1)!] : [...above, ...right.slice(1)],
  );
}
