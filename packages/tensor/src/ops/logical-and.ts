import { binaryOp, operands } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const logicalAndOp = /* @__PURE__ */ binaryOp(
  "logicalAnd",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! !== 0 && b[j + k * dj]! !== 0);
  },
  () => [],
  "bool",
);

/**
 * True where both inputs are true, with broadcasting. Numbers other than 0 are true.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { logicalAnd, tensor } from "@qkv/tensor";
 *
 * logicalAnd(tensor([true, false]), tensor([true, true])).toNested(); // => [true, false]
 * ```
 */
export function logicalAnd(a: Tensor, b: Tensor): Tensor {
  return run(logicalAndOp, operands("logicalAnd", a, b), undefined);
}
