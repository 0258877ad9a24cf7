import { scalarLike, type Operand } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import { isTensor, type Tensor } from "../tensor.js";
import { whereOp } from "./where.js";

/**
 * Another value where a mask is true, with broadcasting.
 *
 * @param mask - Bools.
 * @param value - A number, or a tensor of the type of `x`.
 * @throws {ArgumentError} If the mask is not of bools.
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
