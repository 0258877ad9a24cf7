import { normalizeAxis, refuse } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { concat } from "./concat.js";
import { expandDims } from "./expand-dims.js";

/**
 * Stacks tensors of one shape along a new axis. To join them along an existing axis, see `concat`.
 *
 * @param axis - Index of the new axis in the result. Default 0.
 * @throws {ShapeError} If the shapes or dtypes differ.
 *
 * @example
 * ```ts
 * import { stack, tensor } from "@qkv/tensor";
 *
 * stack([tensor([1, 2]), tensor([3, 4])]).toNested(); // => [[1, 2], [3, 4]]
 * stack([tensor([1, 2]), tensor([3, 4])], 1).toNested(); // => [[1, 3], [2, 4]]
 * ```
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const first: Tensor | undefined = Array.isArray(tensors) ? tensors[0] : undefined;
  if (first === undefined) {
    refuse(
      "stack",
      "tensors",
      Array.isArray(tensors) ? "an empty list" : tensors,
      "one tensor or more",
      "leave the call out where there is nothing to stack.",
    );
  }
  const rank = checkTensor("stack", "tensors[0]", first).shape.length;
  const at = normalizeAxis("stack", axis, rank + 1);
  // concat refuses tensors of another rank, which are passed to it unchanged.
  return concat(
    tensors.map((x, i) =>
      checkTensor("stack", `tensors[${i}]`, x).shape.length === rank ? expandDims(x, at) : x,
    ),
    at,
  );
}
