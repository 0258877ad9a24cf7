import { checkCounts, isFloat } from "@qkv/core";
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
 * A division rounded down, `⌊a / b⌋`, with broadcasting. Floats by 0 are infinite or NaN, as in `div`, and by an infinity
 * NaN; whole numbers by 0 are 0. No gradient flows through it.
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
  checkCounts("floorDivide", "a", dividend.dtype);
  const rest = run(remainderOp, both, undefined);
  if (!isFloat(dividend.dtype)) {
    // `div` rounds towards 0: one less where the quotient is negative. The dividend less its rest could overflow.
    const negative = notEqual(less(dividend, 0), less(divisor, 0));
    return sub(div(dividend, divisor), cast(logicalAnd(notEqual(rest, 0), negative), dividend.dtype));
  }
  // Without its rest a number divides evenly: the rounding of the quotient cannot cross a whole number.
  const quotient = div(sub(dividend, rest), divisor);
  return where(equal(divisor, 0), floor(div(dividend, divisor)), round(quotient));
}
