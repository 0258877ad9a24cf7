import { binaryOp, operands } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const logicalOrOp = /* @__PURE__ */ binaryOp(
  "logicalOr",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(a[i + k * di]! !== 0 || b[j + k * dj]! !== 0);
  },
  () => [],
  "bool",
);

/**
 * True where at least one input is true, with broadcasting. Numbers other than 0 are true.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { logicalOr, tensor } from "@qkv/tensor";
 *
 * logicalOr(tensor([true, false]), tensor([true, true])).toNested(); // => [true, true]
 * ```
 */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  return run(logicalOrOp, operands("logicalOr", a, b), undefined);
}
