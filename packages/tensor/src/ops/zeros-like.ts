import { checkOptions, type DType } from "@qkv/core";
import { ones, zeros } from "../create.js";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";

/**
 * Zeros with the shape of a tensor, on its device.
 *
 * @param options - `dtype`: default that of `x`.
 *
 * @example
 * ```ts
 * import { tensor, zerosLike } from "@qkv/tensor";
 *
 * zerosLike(tensor([[1, 2]])).toNested(); // => [[0, 0]]
 * ```
 */
export function zerosLike(x: Tensor, options?: { dtype?: DType }): Tensor {
  const { shape, dtype, device } = checkTensor("zerosLike", "x", x);
  return zeros(shape, { device, dtype, ...checkOptions("zerosLike", options, ["dtype"]) });
}

/**
 * Ones with the shape of a tensor, on its device.
 *
 * @param options - `dtype`: default that of `x`.
 *
 * @example
 * ```ts
 * import { onesLike, tensor } from "@qkv/tensor";
 *
 * onesLike(tensor([[5, 2]]), { dtype: "bool" }).toNested(); // => [[true, true]]
 * ```
 */
export function onesLike(x: Tensor, options?: { dtype?: DType }): Tensor {
  const { shape, dtype, device } = checkTensor("onesLike", "x", x);
  return ones(shape, { device, dtype, ...checkOptions("onesLike", options, ["dtype"]) });
}
