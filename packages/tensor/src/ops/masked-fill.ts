import { scalarLike, type Operand } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import { isTensor, type Tensor } from "../tensor.js";
import { whereOp } from "./where.js";

/**
 * Replaces numbers by a value where a mask is true, with broadcasting.
 *
 * @param mask - A bool tensor.
 * @param value - A number, or a tensor with the dtype of `x`.
 * @throws {ArgumentError} If the mask is not a bool tensor.
 *
 * @example
 * ```ts
 * import { maskedFill, tensor } from "@qkv/tensor";
 *
 * maskedFill(tensor([1, 2]), tensor([true, false]), -Infinity).toNested(); // => [-Infinity, 2]
 * ```
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  checkTensor("maskedFill", "x", x);
  checkTensor("maskedFill", "mask", mask);
  const values = isTensor(value) ? value : scalarLike("maskedFill", "value", value, x);
  return run(whereOp, [mask, values, x], undefined);
}
