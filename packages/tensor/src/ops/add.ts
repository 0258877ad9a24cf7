import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sumTo } from "./sum-to.js";

export const addOp = /* @__PURE__ */ binaryOp(
  "add",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = a[i + k * di]! + b[j + k * dj]!;
  },
  ({ inputs: [a, b], gradients: [dy], wants }) => [
    wants(0) ? sumTo(dy!, a!.shape) : undefined,
    wants(1) ? sumTo(dy!, b!.shape) : undefined,
  ],
);

/**
 * The sum of two tensors, or of a tensor and a number, with broadcasting.
 *
 * @example
 * ```ts
 * import { add, tensor } from "@qkv/tensor";
 *
 * add(tensor([1, 2]), 10).toNested(); // => [11, 12]
 * ```
 */
export function add(a: Operand, b: Operand): Tensor {
  return run(addOp, operands("add", a, b), undefined);
}
