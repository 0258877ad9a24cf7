import { checkOptions, checks } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { abs } from "./abs.js";
import { add } from "./add.js";
import { all } from "./all.js";
import { equal } from "./equal.js";
import { less } from "./less.js";
import { lessEqual } from "./less-equal.js";
import { logicalAnd } from "./logical-and.js";
import { logicalOr } from "./logical-or.js";
import { mul } from "./mul.js";
import { notEqual } from "./not-equal.js";
import { sub } from "./sub.js";

/**
 * True if all numbers are close: `|a − b| ≤ atol + rtol · |b|`, with broadcasting. Equal infinities are close.
 *
 * @param options - `rtol`: default 1e-5. `atol`: default 1e-8. `equalNan`: true if NaN is close to NaN, default false.
 * @returns One bool, `[]`.
 * @throws {ShapeError} If the shapes do not broadcast.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or differ in dtype.
 *
 * @example
 * ```ts
 * import { allClose, tensor } from "@qkv/tensor";
 *
 * allClose(tensor([1, 2]), tensor([1, 2.00001])).toNested(); // => true
 * ```
 */
export function allClose(
  a: Tensor,
  b: Tensor,
  options?: { rtol?: number; atol?: number; equalNan?: boolean },
): Tensor {
  const names = ["rtol", "atol", "equalNan"] as const;
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = checkOptions("allClose", options, names);
  checks("allClose").finite({ rtol, atol }, { min: 0 });
  checks("allClose").type({ equalNan }, "boolean");
  floatTensor("allClose", "a", a);
  const near = lessEqual(abs(sub(a, floatTensor("allClose", "b", b))), add(mul(abs(b), rtol), atol));
  // With infinities the inequality is always true or NaN, so they must be equal.
  const finite = less(abs(b), Infinity);
  const close = logicalOr(logicalAnd(near, finite), equal(a, b));
  return all(equalNan ? logicalOr(close, logicalAnd(notEqual(a, a), notEqual(b, b))) : close);
}
