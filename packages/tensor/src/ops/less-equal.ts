import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const lessEqualOp = /* @__PURE__ */ binaryOp(
  "lessEqual",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! <= b[j + k * dj]!);
  },
  () => [],
  "bool",
);

/**
 * True where `a ≤ b`, with broadcasting. Its gradient is 0.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { lessEqual, tensor } from "@qkv/tensor";
 *
 * lessEqual(tensor([1, 2, 3]), 2).toNested(); // => [true, true, false]
 * ```
 */
export function lessEqual(a: Operand, b: Operand): Tensor {
  return run(lessEqualOp, operands("lessEqual", a, b), undefined);
}
