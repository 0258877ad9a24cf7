import type { ReduceOptions } from "../reduce.js";
import type { Tensor } from "../tensor.js";
import { equal } from "./equal.js";
import { sqrt } from "./sqrt.js";
import { varianceFor } from "./variance.js";
import { where } from "./where.js";

/**
 * The standard deviation over one axis, several, or all: the square root of `variance`. If it is 0, so is the gradient.
 *
 * @param options - `axis`: default all. `keepDims`: default false. `correction`: default 1 (Bessel's correction, for a
 *   sample, as in PyTorch); 0 for a whole population, as in NumPy.
 * @throws {ArgumentError} If the numbers are not float32 or float64.
 *
 * @example
 * ```ts
 * import { std, tensor } from "@qkv/tensor";
 *
 * std(tensor([1, 3, 5])).toNested(); // => 2
 * std(tensor([1, 3]), { correction: 0 }).toNested(); // => 1
 * ```
 */
export function std(x: Tensor, options?: ReduceOptions & { correction?: number }): Tensor {
  const squared = varianceFor("std", x, options);
  const none = equal(squared, 0);
  return where(none, 0, sqrt(where(none, 1, squared)));
}
