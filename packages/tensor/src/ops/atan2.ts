import { checkFloat } from "@qkv/core";
import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { add } from "./add.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";
import { square } from "./square.js";
import { sumTo } from "./sum-to.js";

export const atan2Op = /* @__PURE__ */ binaryOp(
  "atan2",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) out[o + k] = Math.atan2(a[i + k * di]!, b[j + k * dj]!);
  },
  ({ inputs: [a, b], gradients: [dy], wants }) => {
    const slope = div(dy!, add(square(a!), square(b!)));
    return [
      wants(0) ? sumTo(mul(slope, b!), a!.shape) : undefined,
      wants(1) ? sumTo(neg(mul(slope, a!)), b!.shape) : undefined,
    ];
  },
);

/**
 * The angle of the point with x coordinate `b` and y coordinate `a`, from −π to π, with broadcasting: the arc tangent of `a / b` in
 * the correct quadrant. `atan2(x, 1)` is the arc tangent of x. The gradient at the origin is NaN.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { atan2, tensor } from "@qkv/tensor";
 *
 * atan2(tensor([0, 1]), tensor([1, 0])).toNested(); // => [0, 1.5708]
 * ```
 */
export function atan2(a: Operand, b: Operand): Tensor {
  const both = operands("atan2", a, b);
  for (const { dtype } of both) checkFloat("atan2", dtype);
  return run(atan2Op, both, undefined);
}
