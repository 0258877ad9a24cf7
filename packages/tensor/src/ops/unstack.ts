import { normalizeAxis } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { reshaped } from "./reshape.js";
import { sliceOp } from "./slice-and-pad.js";

/**
 * Splits a tensor along an axis and removes the axis: the inverse of `stack`.
 *
 * @param axis - Default 0.
 *
 * @example
 * ```ts
 * import { tensor, unstack } from "@qkv/tensor";
 *
 * unstack(tensor([[1, 2], [3, 4]]), 1).map((column) => column.toNested()); // => [[1, 3], [2, 4]]
 * ```
 */
export function unstack(x: Tensor, axis = 0): Tensor[] {
  const { shape } = checkTensor("unstack", "x", x);
  const at = normalizeAxis("unstack", axis, shape.length);
  const rest = shape.filter((_, a) => a !== at);
  return Array.from({ length: shape[at]! }, (_, i) =>
    reshaped(run(sliceOp, [x], { axis: at, start: i, end: i + 1 }), rest),
  );
}
