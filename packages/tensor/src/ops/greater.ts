import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const greaterOp = /* @__PURE__ */ binaryOp(
  "greater",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! > b[j + k * dj]!);
  },
  () => [],
  "bool",
);

/**
 * True where `a > b`, with broadcasting. Its gradient is 0.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { greater, tensor } from "@qkv/tensor";
 *
 * greater(tensor([1, 2, 3]), 2).toNested(); // => [false, false, true]
 * ```
 */
export function greater(a: Operand, b: Operand): Tensor {
  return run(greaterOp, operands("greater", a, b), undefined);
}
