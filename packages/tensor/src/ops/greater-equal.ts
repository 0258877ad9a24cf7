import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const greaterEqualOp = /* @__PURE__ */ binaryOp(
  "greaterEqual",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! >= b[j + k * dj]!);
  },
  () => [],
  "bool",
);

/**
 * True where `a ≥ b`, with broadcasting. Its gradient is 0.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { greaterEqual, tensor } from "@qkv/tensor";
 *
 * greaterEqual(tensor([1, 2, 3]), 2).toNested(); // => [false, true, true]
 * ```
 */
export function greaterEqual(a: Operand, b: Operand): Tensor {
  return run(greaterEqualOp, operands("greaterEqual", a, b), undefined);
}
