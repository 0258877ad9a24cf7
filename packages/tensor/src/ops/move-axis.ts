import { normalizeAxis } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { permuteOp } from "./permute.js";

/**
 * Moves an axis, as a view; the other axes keep their order.
 *
 * @param from - Its index. Negative counts from the end.
 * @param to - Its new index. Negative counts from the end.
 *
 * @example
 * ```ts
 * import { moveAxis, zeros } from "@qkv/tensor";
 *
 * moveAxis(zeros([2, 3, 4]), 0, -1).shape; // => [3, 4, 2]
 * ```
 */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  const rank = checkTensor("moveAxis", "x", x).shape.length;
  const source = normalizeAxis("moveAxis", from, rank, "from");
  const target = normalizeAxis("moveAxis", to, rank, "to");
  const axes = x.shape.flatMap((_, axis) => (axis === source ? [] : [axis]));
  axes.splice(target, 0, source);
  return run(permuteOp, [x], { axes });
}
