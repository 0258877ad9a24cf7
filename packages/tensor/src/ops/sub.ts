import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sumTo } from "./sum-to.js";

export const subOp = /* @__PURE__ */ binaryOp(
  "sub",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = a[i + k * di]! - b[j + k * dj]!;
  },
  ({ inputs: [a, b], gradients: [dy], wants }) => [
    wants(0) ? sumTo(dy!, a!.shape) : undefined,
    wants(1) ? sumTo(sub(0, dy!), b!.shape) : undefined,
  ],
);

/**
 * The difference `a - b`, with broadcasting.
 *
 * @example
 * ```ts
 * import { sub, tensor } from "@qkv/tensor";
 *
 * sub(tensor([1, 2]), 1).toNested(); // => [0, 1]
 * ```
 */
export function sub(a: Operand, b: Operand): Tensor {
  return run(subOp, operands("sub", a, b), undefined);
}
