import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const notEqualOp = /* @__PURE__ */ binaryOp(
  "notEqual",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! !== b[j + k * dj]!);
  },
  () => [],
  "bool",
);

/**
 * True where two tensors differ, with broadcasting. NaN differs from everything, including itself. Its gradient is 0.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { notEqual, tensor } from "@qkv/tensor";
 *
 * notEqual(tensor([1, 2]), 2).toNested(); // => [true, false]
 * ```
 */
export function notEqual(a: Operand, b: Operand): Tensor {
  return run(notEqualOp, operands("notEqual", a, b), undefined);
}
