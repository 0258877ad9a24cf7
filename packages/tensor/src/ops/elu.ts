import { checkOptions, checks } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import type { Tensor } from "../tensor.js";
import { expm1 } from "./expm1.js";
import { greater } from "./greater.js";
import { mul } from "./mul.js";
import { where } from "./where.js";

/**
 * The exponential linear unit: x for positive numbers, `alpha · (eˣ − 1)` for others.
 *
 * @param options - `alpha`: default 1.
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 * @see "Fast and Accurate Deep Network Learning by Exponential Linear Units (ELUs)" (2015), arXiv:1511.07289
 *
 * @example
 * ```ts
 * import { elu, tensor } from "@qkv/tensor";
 *
 * elu(tensor([2, -Infinity])).toNested(); // => [2, -1]
 * ```
 */
export function elu(x: Tensor, options?: { alpha?: number }): Tensor {
  const { alpha = 1 } = checkOptions("elu", options, ["alpha"]);
  checks("elu").finite({ alpha });
  const positive = greater(floatTensor("elu", "x", x), 0);
  // exp of large numbers, which `where` does not select, would have an infinite gradient.
  const low = where(positive, 0, x);
  return where(positive, x, mul(expm1(low), alpha));
}
