import { checkFloat } from "@qkv/core";
import { binaryOp, operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { equal } from "./equal.js";
import { log } from "./log.js";
import { logicalAnd } from "./logical-and.js";
import { logicalOr } from "./logical-or.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";
import { sumTo } from "./sum-to.js";
import { where } from "./where.js";

export const powOp = /* @__PURE__ */ binaryOp(
  "pow",
  (out, o, a, i, di, b, j, dj, n) => {
    for (let k = 0; k < n; k++) {
      const base = a[i + k * di]!;
      const exponent = b[j + k * dj]!;
      // 1 to any power and -1 to ±∞ are 1; JavaScript returns NaN for ±∞.
      const one = base === 1 || (base === -1 && Math.abs(exponent) === Infinity);
      out[o + k] = one ? 1 : base ** exponent;
    }
  },
  ({ inputs: [a, b], outputs: [y], gradients: [dy], wants }) => {
    // The derivatives are b aᵇ⁻¹ and y log a. They are 0 where the first factor is 0, even if the other is NaN or infinite.
    const slopeA = () => where(equal(b!, 0), 0, mul(b!, pow(a!, sub(b!, 1))));
    // 0⁰ is 1, and 0 to a positive power is 0: the derivative by b is 0, as in PyTorch.
    const still = () => logicalOr(equal(y!, 0), logicalAnd(equal(a!, 0), equal(b!, 0)));
    const slopeB = () => where(still(), 0, mul(y!, log(a!)));
    return [
      wants(0) ? sumTo(mul(dy!, slopeA()), a!.shape) : undefined,
      wants(1) ? sumTo(mul(dy!, slopeB()), b!.shape) : undefined,
    ];
  },
);

/**
 * `a` to the power of `b`, with broadcasting. A negative number to a power that is not an integer is NaN.
 *
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { pow, tensor } from "@qkv/tensor";
 *
 * pow(tensor([2, 3]), 2).toNested(); // => [4, 9]
 * pow(2, tensor([3, -1])).toNested(); // => [8, 0.5]
 * ```
 */
export function pow(a: Operand, b: Operand): Tensor {
  const both = operands("pow", a, b);
  for (const { dtype } of both) checkFloat("pow", dtype);
  return run(powOp, both, undefined);
}
