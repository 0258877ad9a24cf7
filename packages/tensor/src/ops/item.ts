import { refuseShape, sizeOf } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { reshaped } from "./reshape.js";

/**
 * The number of a tensor with a single element. On a remote device use `await x.read()` instead.
 *
 * @returns A number, or a boolean for bools.
 * @throws {ShapeError} If the tensor does not have exactly one element.
 *
 * @example
 * ```ts
 * import { item, sum, tensor } from "@qkv/tensor";
 *
 * item(sum(tensor([1, 2]))); // => 3
 * ```
 */
export function item(x: Tensor): number | boolean {
  if (sizeOf(checkTensor("item", "x", x).shape) !== 1)
    refuseShape("item", "x", x.shape, "one number", "reduce it first, or read all numbers with `toNested`.");
  return reshaped(x, []).toNested() as number | boolean;
}
