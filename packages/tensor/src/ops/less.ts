import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const lessOp = /* @__PURE__ */ binaryOp(
  "less",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! < b[j + k * dj]!);
  },
  () => [],
  "bool",
);

/**
 * True where `a < b`, with broadcasting. Its gradient is 0.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { less, tensor } from "@qkv/tensor";
 *
 * less(tensor([1, 2]), 2).toNested(); // => [true, false]
 * ```
 */
export function less(a: Operand, b: Operand): Tensor {
  return run(lessOp, operands("less", a, b), undefined);
}
