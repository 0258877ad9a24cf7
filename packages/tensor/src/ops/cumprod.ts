import { normalizeAxis } from "@qkv/core";
import { checkTensor } from "../op.js";
import { prefixScan } from "../prefix-scan.js";
import type { Tensor } from "../tensor.js";
import { mul } from "./mul.js";

/**
 * Cumulative product along an axis. The gradient needs no division, so zeros are not a special case.
 *
 * @throws {ArgumentError} If the axis does not exist.
 *
 * @example
 * ```ts
 * import { cumprod, tensor } from "@qkv/tensor";
 *
 * cumprod(tensor([2, 3, 4]), 0).toNested(); // => [2, 6, 24]
 * ```
 */
export function cumprod(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis("cumprod", axis, checkTensor("cumprod", "x", x).shape.length);
  return prefixScan(x, at, mul);
}
