import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";
import { sumTo } from "./sum-to.js";

export const divOp = /* @__PURE__ */ binaryOp(
  "div",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = a[i + k * di]! / b[j + k * dj]!;
  },
  ({ inputs: [a, b], outputs: [y], gradients: [dy], wants }) => {
    const da = div(dy!, b!);
    return [
      wants(0) ? sumTo(da, a!.shape) : undefined,
      wants(1) ? sumTo(mul(da, mul(y!, -1)), b!.shape) : undefined,
    ];
  },
);

/**
 * The quotient `a / b`, with broadcasting. Between int32 tensors it is truncated towards zero.
 *
 * @example
 * ```ts
 * import { div, tensor } from "@qkv/tensor";
 *
 * div(tensor([1, 2]), 2).toNested(); // => [0.5, 1]
 * ```
 */
export function div(a: Operand, b: Operand): Tensor {
  return run(divOp, operands("div", a, b), undefined);
}
