import { checkNotBool, isFloat } from "@qkv/core";
import { operands, type Operand } from "../elementwise.js";
import { run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { div } from "./div.js";
import { equal } from "./equal.js";
import { floor } from "./floor.js";
import { less } from "./less.js";
import { logicalAnd } from "./logical-and.js";
import { notEqual } from "./not-equal.js";
import { remainderOp } from "./remainder.js";
import { round } from "./round.js";
import { sub } from "./sub.js";
import { where } from "./where.js";

/**
 * Floor division `⌊a / b⌋`, with broadcasting. Division by 0 gives ±∞ or NaN for floats, as in `div`, and 0 for integers; division by
 * an infinity with the other sign gives NaN. Its gradient is 0.
 *
 * @throws {ArgumentError} If the numbers are bools, or differ in type.
 *
 * @example
 * ```ts
 * import { floorDivide, tensor } from "@qkv/tensor";
 *
 * floorDivide(tensor([5, -5]), 3).toNested(); // => [1, -2]
 * ```
 */
export function floorDivide(a: Operand, b: Operand): Tensor {
  const both = operands("floorDivide", a, b);
  const [dividend, divisor] = both;
  checkNotBool("floorDivide", "a", dividend.dtype);
  const modulo = run(remainderOp, both, undefined);
  if (!isFloat(dividend.dtype)) {
    // `div` truncates: subtract 1 if the quotient is negative and not exact. dividend − modulo could overflow.
    const negative = notEqual(less(dividend, 0), less(divisor, 0));
    return sub(div(dividend, divisor), cast(logicalAnd(notEqual(modulo, 0), negative), dividend.dtype));
  }
  // dividend − modulo is a multiple of the divisor, so that rounding the quotient gives the exact integer.
  const quotient = div(sub(dividend, modulo), divisor);
  return where(equal(divisor, 0), floor(div(dividend, divisor)), round(quotient));
}
