import { unaryOp } from "../elementwise.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";

export const logicalNotOp = /* @__PURE__ */ unaryOp(
  "logicalNot",
  (out, o, x, i, di, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Number(x[i + k * di]! === 0);
  },
  () => undefined,
  "bool",
);

/**
 * True where the input is false, or 0.
 *
 * @returns A bool tensor.
 *
 * @example
 * ```ts
 * import { logicalNot, tensor } from "@qkv/tensor";
 *
 * logicalNot(tensor([true, false])).toNested(); // => [false, true]
 * ```
 */
export function logicalNot(x: Tensor): Tensor {
  return run(logicalNotOp, [checkTensor("logicalNot", "x", x)], undefined);
}
