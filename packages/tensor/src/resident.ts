import { checkTensor } from "./op.js";
import type { Tensor } from "./tensor.js";

/**
 * Takes a tensor out of all scopes: it lives as long as it is used. For cache buffers and optimizer state that are
 * made inside a scope and outlive it.
 *
 * @example
 * ```ts
 * import { js, resident, zeros } from "@qkv/tensor";
 *
 * const state = { sum: zeros([1]) };
 * js().scope(() => {
 *   state.sum = resident(zeros([2]));
 * });
 * state.sum.toNested(); // => [0, 0]
 * ```
 */
export function resident(x: Tensor): Tensor {
  const { device, storage } = checkTensor("resident", "x", x);
  device.retain(storage);
  return x;
}
