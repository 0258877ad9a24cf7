import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { copyOp } from "./contiguous.js";

/**
 * A contiguous copy with its own memory. It has a gradient.
 *
 * @example
 * ```ts
 * import { clone, tensor, write } from "@qkv/tensor";
 *
 * const x = tensor([1, 2]);
 * const before = clone(x);
 * write(x, 0, 0, tensor([7]));
 * before.toNested(); // => [1, 2]
 * ```
 */
export function clone(x: Tensor): Tensor {
  return run(copyOp, [checkTensor("clone", "x", x)], undefined);
}
