import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const equalOp = /* @__PURE__ */ binaryOp(
  "equal",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! === b[j + k * dj]!);
  },
  () => [],
  "bool",
);

/**
 * True where two tensors are equal, with broadcasting. NaN equals nothing. Its gradient is 0.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { equal, tensor } from "@qkv/tensor";
 *
 * equal(tensor([1, 2]), 2).toNested(); // => [false, true]
 * ```
 */
export function equal(a: Operand, b: Operand): Tensor {
  return run(equalOp, operands("equal", a, b), undefined);
}
